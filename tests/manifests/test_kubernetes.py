"""Pods, what makes pods, and lists of them."""

from __future__ import annotations

import json

import pytest

from pilot.model import Code, Framing, State
from tests.manifests.making import PODS, TOMCAT, UID, container, manifest, only, pod


def workload(kind: str, path: str) -> str:
    """A workload whose pod template stands at that path of its spec."""
    lines = ["apiVersion: apps/v1", f"kind: {kind}", "metadata:", "  name: shop", "spec:"]
    indent = 2
    for step in path.split("."):
        lines.append(" " * indent + f"{step}:")
        indent += 2
    lines += [
        " " * indent + line
        for line in (
            "metadata:",
            "  annotations:",
            "    aliyun.logs/web: stdout",
            "spec:",
            "  containers:",
            "  - name: app",
            "    image: shop:1",
        )
    ]
    return "\n".join(lines) + "\n"


def test_a_pod_of_log_pilot_s_example_is_a_container() -> None:
    found = only(TOMCAT)
    made = found.container
    assert made.env == {
        "aliyun_logs_access": "/usr/local/tomcat/logs/catalina.*.log",
        "aliyun_logs_catalina": "stdout",
    }
    assert made.image == "tomcat:7.0"
    assert made.state is State.RUNNING
    assert made.log_framing is Framing.CRI
    uid = "<uid-of-default.tomcat>"
    assert made.log_path == f"/var/log/pods/default_tomcat_{uid}/tomcat/0.log"
    assert made.mounts[0].source == (
        f"/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~empty-dir/tomcat-log"
    )
    assert found.line("aliyun_logs_catalina") == 10
    assert found.line("aliyun_logs_access") == 12


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Deployment", "template"),
        ("StatefulSet", "template"),
        ("DaemonSet", "template"),
        ("ReplicaSet", "template"),
        ("ReplicationController", "template"),
        ("Job", "template"),
        ("CronJob", "jobTemplate.spec.template"),
        ("Rollout", "template"),
    ],
)
def test_each_workload_is_read_by_its_template(kind: str, path: str) -> None:
    found = only(workload(kind, path))
    assert found.container.name == "app"
    assert found.container.pod
    assert found.container.pod.name == "shop-<pod>"
    assert found.container.pod.annotations == {"aliyun.logs/web": "stdout"}
    text = workload(kind, path).splitlines()
    assert text[found.line("aliyun.logs/web") - 1].strip() == "aliyun.logs/web: stdout"


def test_lists_and_several_documents_are_all_read() -> None:
    deployment = workload("Deployment", "template").replace("\n", "\n  ").rstrip()
    items = f"apiVersion: v1\nkind: List\nitems:\n- {deployment}\n"
    text = f"{TOMCAT}---\n# Source: chart/templates/x.yaml\n---\n{items}"
    found = manifest(text).containers
    assert [each.container.name for each in found] == ["tomcat", "app"]
    assert text.splitlines()[found[1].line("aliyun.logs/web") - 1].endswith("web: stdout")


def test_what_kubectl_prints_of_pods_as_json_is_read_with_lines() -> None:
    status = {
        "name": "app",
        "containerID": "containerd://abc123",
        "restartCount": 3,
        "state": {"running": {}},
    }
    data = {
        "apiVersion": "v1",
        "kind": "PodList",
        "items": [
            {
                "metadata": {"name": "web-1", "namespace": "prod", "uid": UID},
                "spec": {"containers": [{"name": "app", "env": [{"name": "A", "value": "x"}]}]},
                "status": {"containerStatuses": [status]},
            }
        ],
    }
    text = json.dumps(data, indent=4)
    found = only(text)
    assert found.container.id == "abc123"
    assert found.container.log_path == f"/var/log/pods/prod_web-1_{UID}/app/3.log"
    assert '"name": "A"' in text.splitlines()[found.line("A")]


def test_init_sidecar_and_ephemeral_containers_are_containers_too() -> None:
    text = pod(
        """
        initContainers:
        - {name: init}
        - {name: side, restartPolicy: Always}
        containers:
        - {name: app}
        ephemeralContainers:
        - {name: debug}
        """
    )
    names = [each.container.name for each in manifest(text).containers]
    assert names == ["init", "side", "app", "debug"]


def test_kubelet_root_and_namespace_are_the_surroundings() -> None:
    text = pod(
        "containers: [{name: a, volumeMounts: [{name: v, mountPath: /l}]}]\nvolumes: [{name: v}]"
    )
    made = container(text, kubelet_root="/var/lib/k0s/kubelet", namespace="team")
    assert made.mounts[0].source.startswith(f"/var/lib/k0s/kubelet/pods/{UID}/")
    assert made.pod
    assert made.pod.namespace == "team"
    assert "io.kubernetes.pod.namespace" in made.labels


def test_a_pod_says_its_own_fields_and_a_template_does_not() -> None:
    field = "valueFrom: {fieldRef: {fieldPath: metadata.name}}"
    spec = f"containers: [{{name: a, env: [{{name: N, {field}}}]}}]"
    assert container(pod(spec)).env == {"N": "web"}
    text = f"apiVersion: apps/v1\nkind: Deployment\nspec: {{template: {{spec: {{{spec}}}}}}}\n"
    assert only(text).unknown == {"N": "the pod's metadata.name"}


def test_the_api_s_copy_of_a_static_pod_has_the_kubelet_s_uid() -> None:
    mirror = """
    annotations: {kubernetes.io/config.mirror: 0123456789abcdef0123456789abcdef}
    ownerReferences: [{kind: Node, name: n1}]
    """
    made = container(pod("containers: [{name: a}]", mirror))
    assert made.pod
    assert made.pod.uid == "0123456789abcdef0123456789abcdef"
    forged = container(pod("containers: [{name: a}]", mirror.replace("Node", "Job")))
    assert forged.pod
    assert forged.pod.uid == UID


def test_a_uid_that_would_be_a_path_is_not_taken() -> None:
    text = pod("containers: [{name: a}]").replace(UID, "../../etc")
    made = container(text)
    assert made.pod
    assert made.pod.uid == "<uid-of-default.web>"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("{running: {}}", State.RUNNING),
        ("{terminated: {}}", State.ENDED),
        ("{waiting: {}}", State.CREATED),
    ],
)
def test_the_state_is_that_of_the_status(state: str, expected: State) -> None:
    text = pod("containers: [{name: a}]")
    text += f"status: {{containerStatuses: [{{name: a, state: {state}}}]}}\n"
    assert container(text).state is expected


def test_configuration_of_unknown_use_and_misplaced_texts_are_strays() -> None:
    text = workload("Deployment", "template").replace(
        "  name: shop\n", "  name: shop\n  annotations: {aliyun.logs/x: stdout}\n"
    )
    text += "---\napiVersion: v1\nkind: ConfigMap\ndata:\n  aliyun_logs_y: stdout\n"
    first, second = manifest(text).strays
    assert (first.code, first.hint) == (
        Code.ANNOTATION_ELSEWHERE,
        "spec.template.metadata.annotations",
    )
    assert second.code is Code.ENV_UNKNOWN
    assert text.splitlines()[second.line("aliyun_logs_y") - 1].strip() == "aliyun_logs_y: stdout"


def test_what_a_secret_holds_is_not_repeated() -> None:
    text = "apiVersion: v1\nkind: Secret\nstringData: {aliyun_logs_y: hunter2}\n"
    (stray,) = manifest(text).strays
    assert dict(stray.texts) == {"aliyun_logs_y": ""}


@pytest.mark.parametrize("kind", ["Service", "CustomResourceDefinition", "HelmRelease"])
def test_other_objects_hold_no_containers(kind: str) -> None:
    assert manifest(f"apiVersion: v1\nkind: {kind}\nspec: {{template: x}}\n").containers == ()


@pytest.mark.parametrize(
    "junk", ["5", "[]", "x", "[1, [2]]", "{a: {b: 1}}", "null", "[{name: []}]"]
)
@pytest.mark.parametrize("where", ["metadata", "spec", "status"])
def test_objects_of_no_shape_raise_nothing(junk: str, where: str) -> None:
    text = f"apiVersion: v1\nkind: Pod\n{where}: {junk}\n"
    assert manifest(text).containers == ()
    spec = ", ".join(f"{key}: {junk}" for key in ("env", "envFrom", "volumeMounts", "name"))
    text = f"apiVersion: v1\nkind: Pod\nspec: {{volumes: {junk}, containers: [{{{spec}}}]}}\n"
    text += f"metadata: {{annotations: {junk}, labels: {junk}, ownerReferences: {junk}}}\n"
    text += f"status: {{containerStatuses: {junk}}}\n"
    assert len(manifest(text).containers) == 1


def test_the_same_text_gives_the_same_containers() -> None:
    assert container(TOMCAT) == container(TOMCAT)
    assert PODS not in container(TOMCAT).mounts[0].source


def test_the_claims_of_a_stateful_set_are_volumes_of_its_pods() -> None:
    made = container(
        """
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: db}
        spec:
          volumeClaimTemplates:
          - metadata: {name: data}
          template:
            spec:
              containers:
              - name: db
                image: db:1
                volumeMounts: [{name: data, mountPath: /data}, {name: own, mountPath: /own}]
              volumes: [{name: own, emptyDir: {}}]
        """
    )
    assert [(each.destination, each.kind) for each in made.mounts] == [
        ("/data", "persistentVolumeClaim"),
        ("/own", "volume"),
    ]
