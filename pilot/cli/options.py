"""Flags that several commands share, each with its env variable, and the Settings made of them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pilot.model import shorten
from pilot.settings import DEFAULT_PREFIXES, Allowance, Floor, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

Decorated = TypeVar("Decorated", bound="Callable[..., Any]")

FOLDER = click.Path(path_type=Path)
UNITS = {"": 0, "Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40}  # as powers of two
AMOUNT = re.compile(r"([0-9]{1,15})(?:(Ki|Mi|Gi|Ti)B?)?/([0-9]{1,15})")
PARTS = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,3})?)%/([0-9]{1,2}(?:\.[0-9]{1,3})?)%")
AUTO = "auto"


def flag(name: str, **settings: Any) -> Callable[[Decorated], Decorated]:
    """A click option whose env variable is PILOT_<FLAG>; both are shown in the help."""
    on = name.partition("/")[0]  # of `--on/--off`
    variable = f"PILOT_{on.lstrip('-').replace('-', '_').upper()}"
    shown = settings.get("default") not in (None, "")
    return click.option(name, envvar=variable, show_envvar=True, show_default=shown, **settings)


def together(*options: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    """Several options as one decorator, in the order given."""

    def decorate(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


class CommaList(click.ParamType[tuple[str, ...]]):
    """Comma-separated words as a tuple."""

    name = "words"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, ...]:
        """Split at commas, trim, refuse an empty list and words that a blank seems to part."""
        words = tuple(filter(None, (word.strip() for word in str(value).split(","))))
        if not words:
            self.fail("names nothing; give comma-separated words", param, ctx)
        if parted := next((word for word in words if len(word.split()) > 1), ""):
            self.fail(f"{shorten(parted)!r} holds a blank; put commas between words", param, ctx)
        return words


class AllowanceType(click.ParamType[Allowance]):
    """`<bytes>/<files>` as an Allowance."""

    name = "allowance"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Allowance:
        """Whole numbers, that of bytes with a unit or without."""
        if isinstance(value, Allowance):
            return value
        found = AMOUNT.fullmatch(str(value).strip())
        if not found:
            self.fail(
                f"{shorten(str(value))!r} is not <bytes>/<files>; give whole numbers, the bytes "
                "plain or with KiB, MiB, GiB or TiB, as in 1GiB/10000",
                param,
                ctx,
            )
        return Allowance(int(found[1]) << UNITS[found[2] or ""], int(found[3]))


class FloorType(click.ParamType[Floor | None]):
    """`<space>%/<inodes>%` as a Floor; `auto` as None."""

    name = "floor"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Floor | None:
        """Two percentages below 100."""
        if value is None or isinstance(value, Floor):
            return value
        text = str(value).strip()
        found = PARTS.fullmatch(text)
        if not found and text != AUTO:
            self.fail(
                f"{shorten(text)!r} is neither {AUTO} nor <space>%/<inodes>%; give two "
                "percentages below 100, as in 12%/6%",
                param,
                ctx,
            )
        return Floor(float(found[1]) / 100, float(found[2]) / 100) if found else None


rendering = together(
    flag("--type", default="filebeat", metavar="NAME", help="The collector: filebeat or console."),
    flag(
        "--log-prefix",
        type=CommaList(),
        default=",".join(DEFAULT_PREFIXES),
        help="Prefixes of declarations, comma-separated; the first wins.",
    ),
    flag(
        "--pin",
        type=click.Choice(["auto", "off"]),
        default="auto",
        help="Whether the collector reads pins, or (off) the original files.",
    ),
    flag(
        "--pin-root",
        multiple=True,
        metavar="DIR",
        help="Folders for pins, as the node knows them.  [default: log-pilot in /var/log, "
        "/var/lib/docker and /var/lib/kubelet]",
    ),
    flag(
        "--collector-root", type=FOLDER, default="/", help="Where the collector sees the node's /."
    ),
    flag("--config-dir", type=FOLDER, help="The collector's config.  [default: its usual place]"),
    flag("--data-dir", type=FOLDER, help="The collector's records.  [default: its usual place]"),
    flag("--templates", type=FOLDER, help="A folder of templates that win over ours."),
    flag("--max-logs", type=click.IntRange(1, 10_000), default=100, help="Logs per container."),
    flag("--recursive", is_flag=True, help="Let paths hold **, which is any number of folders."),
    flag("--rootfs", is_flag=True, help="Let files in a container's own filesystem be collected."),
    flag(
        "--policy-file", type=FOLDER, metavar="FILE", help="What tenants may declare, by namespace."
    ),
    flag(
        "--collect",
        type=click.Choice(["declared", "stdout"]),
        default="declared",
        help="Collect what is declared, or also the output of every container that declares none.",
    ),
    flag(
        "--image-declarations/--no-image-declarations",
        default=True,
        help="Whether an image's own ENV and LABELs may declare logs.",
    ),
)


def _allowance(name: str, default: str, whose: str) -> Callable[[Decorated], Decorated]:
    return flag(
        name,
        type=AllowanceType(),
        default=default,
        metavar="BYTES/FILES",
        help=f"What pins of {whose} may hold that would be gone without them.",
    )


holding = together(
    _allowance("--set-allowance", "1GiB/10000", "one file set"),
    _allowance("--namespace-allowance", "4GiB/50000", "one Kubernetes namespace"),
    _allowance("--node-allowance", "16GiB/100000", "the node"),
    flag(
        "--floor",
        type=FloorType(),
        default=AUTO,
        metavar="auto|SPACE%/INODES%",
        help="What pins leave free of a filesystem's space and of its inodes.",
    ),
)

state_dir = flag(
    "--state-dir", type=FOLDER, default="/var/lib/log-pilot", help="What must outlive the pilot."
)


def settings_from(chosen: dict[str, Any]) -> Settings:
    """The flags of a command as Settings; flags with other names or types are translated."""
    values = dict(chosen)
    values["log_prefixes"] = values.pop("log_prefix")
    values["pin"] = values["pin"] != "off"
    roots = tuple(root for each in values.pop("pin_root") for root in each.split(",") if root)
    for root in roots:
        if not root.startswith("/"):
            raise click.BadParameter(f"{root!r} is not an absolute path", param_hint="--pin-root")
    if "collector" in values:
        values["supervised"] = values.pop("collector") == "supervised"
        values["collector"] = values.pop("collector_program")
    folders = ("state_dir", "config_dir", "data_dir", "node_root", "static_path", "templates")
    for name in (*folders, "policy_file", "symlink_root"):
        if values.get(name):
            values[name] = values[name].absolute()
    node_name = os.environ.get("NODE_NAME", "")
    return Settings(**values, pin_roots=roots, node_name=node_name)
