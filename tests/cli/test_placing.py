"""Claims of pods in manifests have a folder on the node, below the kubelet's given root."""

from __future__ import annotations

from dataclasses import replace

from pilot.accept import accept
from pilot.cli.placing import placed, unplaced
from pilot.model import Mount, Pod
from pilot.policy import Policy
from pilot.settings import Settings
from tests.declarations.making import container

CLAIM = Mount("/logs", "", "persistentVolumeClaim", "data")
PLAIN = Mount("/other", "/srv/other", "bind")
POD = Pod("shop", "web", "uid")


def test_a_claim_lies_below_the_given_root_and_other_mounts_stay() -> None:
    here = replace(container(pod=POD), mounts=(CLAIM, PLAIN))
    claim, plain = placed(here, "/data/kubelet").mounts
    assert claim.source == "/data/kubelet/pods/uid/volumes/kubernetes.io~csi/<data>/mount"
    assert plain == PLAIN
    assert [unplaced(each) for each in (CLAIM, claim, plain)] == [True, False, False]


def test_a_log_on_a_claim_is_then_accepted() -> None:
    env = {"aliyun_logs_web": "/logs/*.log"}
    here = replace(container(env, pod=POD), mounts=(CLAIM,))
    settings, policy = Settings(environment={}), Policy(roots=("/data/kubelet",))
    assert not accept(here, settings=settings, policy=policy).logs
    found = accept(placed(here, "/data/kubelet"), settings=settings, policy=policy)
    assert [log.file_sets[0].root for log in found.logs] == [
        "/data/kubelet/pods/uid/volumes/kubernetes.io~csi/<data>/mount"
    ]


def test_outside_a_pod_nothing_is_placed() -> None:
    here = replace(container(), mounts=(CLAIM,))
    assert placed(here, "/var/lib/kubelet") == here
