# SPDX-License-Identifier: GPL-2.0-or-later
"""A summary of the older version of a tree with the lines that it has in the newer one."""

from __future__ import annotations

from collections.abc import Mapping

from reviewer.context.effects import Effect, Summary
from reviewer.model import Step
from reviewer.source.edits import Moves


def moved_summary(summary: Summary, path: str, moving: Mapping[str, Moves]) -> Summary:
    """``summary``, of a function of ``path``, with its lines moved as ``moving`` says by path."""
    if not moving:
        return summary

    def steps(old: tuple[Step, ...]) -> tuple[Step, ...]:
        if not any(step.path in moving for step in old):
            return old
        return tuple(
            Step(step.path, moving[step.path].moved(step.line), step.function, step.text)
            if step.path in moving
            else step
            for step in old
        )

    def effect(old: Effect) -> Effect:
        return old._replace(steps=steps(old.steps), others=tuple(map(effect, old.others)))

    own = moving.get(path)
    return Summary(
        {key: effect(each) for key, each in summary.effects.items()},
        {exit_ if own is None else exit_._replace(line=own.moved(exit_.line)): None for exit_ in summary.exits},
        {key: each._replace(steps=steps(each.steps)) for key, each in summary.requirements.items()},
        {key: each._replace(steps=steps(each.steps)) for key, each in summary.acquisitions.items()},
        summary.settings,
        summary.answers,
    )
