"""The page of an experiment."""

import html
from collections.abc import Sequence
from typing import Any

from ..comparison import distance_charts, sample_rows
from ..page import Section, page, table
from .cases import Experiment, Finding, Outcome


def experiment_page(experiment: Experiment, result: dict[str, Any], finding: Finding) -> str:
    """The whole page: the claim, what the numbers show, charts, what was run."""
    points = "".join(f"<li>{html.escape(words)}</li>" for words in finding.conclusions)
    lead = (
        f"<p>{html.escape(experiment.claim)}</p>"
        f'<div class="verdict">What these numbers show:<ul>{points}</ul></div>'
    )
    method = [Section("Method", f"<p>{html.escape(experiment.method)}</p>")]
    sections = [*finding.sections, *(method if experiment.method else []), _run(result)]
    sections.append(Section("How to repeat it", f"<pre>{html.escape(result['command'])}</pre>"))
    return page(experiment.title, lead, sections)


def _run(result: dict[str, Any]) -> Section:
    names = ("scale", "data", "data_sha256", "seed", "steps", "device", "threads", "date")
    rows = [(name, str(result[name])) for name in names if name in result]
    machine = result["machine"]
    rows.append(("processor", f"{machine['processor']}, {machine['cores']} cores"))
    rows += result["versions"].items()
    return Section("What was run", table(("", ""), rows))


def sections_of_runs(outcomes: Sequence[Outcome]) -> list[Section]:
    """Distances, samples and options of all cases: the end of most findings."""
    logs = [one.log for one in outcomes]
    return [
        Section("Distance to held-out data", distance_charts(logs)),
        Section("Samples over time", sample_rows(logs)),
        Section("Runs", case_table(outcomes)),
    ]


def case_table(outcomes: Sequence[Outcome]) -> str:
    """Options of the cases, and how they ended."""
    names = list(dict.fromkeys(name for one in outcomes for name in one.case.options))
    rows = [
        (
            one.case.name,
            *(str(one.log.config.to_json()[name]) for name in names),
            str(one.log.step),
            one.failure or "finished",
        )
        for one in outcomes
    ]
    return table(("run", *names, "steps", "end"), rows)
