"""Jinja templates of one piloter: the user's folder first, then ours; every expression is encoded.

The piloter's encoder is the environment's `finalize`, so `{{ expression }}` cannot put raw text in
a config by a forgotten filter. What a template writes itself is not touched.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined
from jinja2.exceptions import TemplateError, TemplateNotFound, TemplateSyntaxError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class TemplatingError(Exception):
    """A template is missing or cannot be rendered; says which file and line. For a person."""


class Templates:
    """The templates of one piloter. They are read once, so the same input gives the same bytes."""

    def __init__(
        self,
        piloter: str,
        *,
        encode: Callable[[object], str],
        user: Path | None = None,
        filters: Mapping[str, Callable[..., object]] | None = None,
    ) -> None:
        """Look in `<user>/<piloter>` and then in ours; `filters` are added to Jinja's own."""
        folders = [folder / piloter for folder in (user, *our_folders()) if folder is not None]
        self._folders = [str(folder) for folder in folders]
        # Nothing here is HTML: `finalize` encodes for the collector's own grammar instead.
        self._environment = Environment(
            loader=FileSystemLoader(self._folders),
            autoescape=False,  # noqa: S701
            auto_reload=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            finalize=_finalizer(encode),
        )
        self._environment.filters.update(filters or {})

    def render(self, name: str, context: Mapping[str, object]) -> bytes:
        """Render one template as UTF-8. Raises TemplatingError."""
        try:
            return self._environment.get_template(name).render(context).encode()
        except TemplateNotFound as error:
            places = ", ".join(self._folders)
            raise TemplatingError(f"template {error.name!r} is in none of {places}") from error
        except TemplateSyntaxError as error:
            place = f"{error.filename or error.name or name}:{error.lineno}"
            raise TemplatingError(f"{place}: {error.message}") from error
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise TemplatingError(f"{self._place(error, name)}: {error}") from error
        except (AttributeError, OSError) as error:
            raise TemplatingError(f"{self._place(error, name)}: {error}") from error

    def _place(self, error: Exception, name: str) -> str:
        """The innermost template line of a traceback; Jinja gives its frames the template's."""
        place, trace = name, error.__traceback__
        while trace is not None:
            filename = trace.tb_frame.f_code.co_filename
            if filename.startswith(tuple(f"{folder}/" for folder in self._folders)):
                place = f"{filename}:{trace.tb_lineno}"
            trace = trace.tb_next
        return place


def our_folders() -> tuple[Path, ...]:
    """Where our own templates may lie: in the wheel, or beside `pilot/` in a checkout."""
    package = Path(__file__).resolve().parent
    return package / "templates", package.parent / "templates"


def _finalizer(encode: Callable[[object], str]) -> Callable[[object], str]:
    def finalize(value: object) -> str:
        if isinstance(value, Undefined):
            return str(value)  # raises and names the variable, which the encoder could not
        return encode(value)

    return finalize
