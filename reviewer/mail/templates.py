# SPDX-License-Identifier: GPL-2.0-or-later
"""The templates of the mails: those of the program, and in front of them the user's own (``reviewer.templateDir``).

They run in Jinja2's sandbox: a template sees texts and truth values and reaches nothing else. What is wrong with one
of the user's is said with its file and line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reviewer.config import data_dir
from reviewer.errors import DraftError
from reviewer.mail import prose

NAMES: Final = ("comment.txt.j2", "cover.txt.j2", "reply.txt.j2")
_MEND: Final = "mend it, or take the file away so that the program's own is used"


class Templates:
    """The templates, found by name in the user's folder ``own`` and else among the program's.

    DraftError if ``own`` is no folder with at least one of them.
    """

    def __init__(self, own: Path | None = None) -> None:
        self._own = own
        folders: list[Path] = [data_dir("templates")]
        if own is not None:
            if not any((own / name).is_file() for name in NAMES):
                raise DraftError(
                    f"looked for templates in {own} (git config reviewer.templateDir): none of {', '.join(NAMES)} is "
                    "there; copy one of the program's into it, or unset the option"
                )
            folders.insert(0, own)
        environment = ImmutableSandboxedEnvironment(
            loader=jinja2.FileSystemLoader(folders),
            undefined=jinja2.StrictUndefined,
            autoescape=False,  # the result is a text mail
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters["paragraph"] = _paragraph
        environment.filters["phrase"] = _phrase
        environment.filters["columns"] = lambda pairs: "\n".join(prose.columns(pairs))
        environment.filters["on_preempt_rt"] = prose.on_preempt_rt
        self._environment = environment

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """The template filled in; DraftError names the file and line of one that cannot be."""
        try:
            return self._environment.get_template(name).render(values)
        except jinja2.TemplateSyntaxError as error:
            place = f"{error.filename or error.name or name}:{error.lineno}"
            raise DraftError(f"tried to read the template {place}: {error.message}; {_MEND}") from error
        except Exception as error:  # whatever an expression of the user's does wrong
            if self._own is None:
                raise
            place = self._place(name, error)
            raise DraftError(
                f"tried to fill in the template {place}: {error or type(error).__name__}; {_MEND}"
            ) from error

    def blame(self, error: DraftError) -> DraftError:
        """What is wrong with a mail, said of the user's templates where there are any: the program's make none such."""
        if self._own is None:
            return error
        return DraftError(f"{error}. The templates in {self._own} (git config reviewer.templateDir) made that mail")

    def _place(self, name: str, error: BaseException) -> str:
        """File and line of the innermost template in the traceback, which Jinja2 rewrites to show template lines."""
        place = str((self._own or Path()) / name)
        trace = error.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if Path(file).name in NAMES:
                place = f"{file}:{trace.tb_lineno}"
            trace = trace.tb_next
        return place


def _phrase(words: Sequence[object]) -> str:
    """Words joined by spaces; what a condition of the template left undefined is left out."""
    return " ".join(str(word) for word in words if not isinstance(word, jinja2.Undefined) and word)


def _paragraph(text: str | Sequence[object]) -> str:
    """A filter: sentences, or one text, filled to the width of a mail."""
    return "\n".join(prose.fill(text if isinstance(text, str) else _phrase(text)))
