"""`manta-nb doctor` and `%manta doctor`."""

from __future__ import annotations

import json

from manta_nb.cli.main import main
from manta_nb.session.doctor import Finding, Report, report
from tests.cli.fakes import Streams

LOOKED_FOR = ["manta-nb", "Python", "torch", "cores", "memory", "child processes", "shared memory", "TLS"]


def test_it_looks_at_everything() -> None:
    """Versions, cores, memory, children, shared memory, TLS, containers, Lab and its extension, a browser."""
    names = [finding.name for finding in report().findings]
    wanted = [*LOOKED_FOR, "container engine", "JupyterLab", "JupyterLab extension", "browser for tests"]

    assert [name for name in wanted if name not in names] == []


def test_what_is_not_there_comes_with_what_to_do() -> None:
    """No finding leaves a person alone."""
    assert all(finding.advice for finding in report().findings if finding.state != "good")


def test_as_text_and_json() -> None:
    """A line each, or the same as one object; the exit code says whether swarms run here."""
    text, data = Streams(), Streams()

    assert main(["doctor"], text.console) == main(["doctor", "--json"], data.console) == 0
    assert text.out.startswith("ready: swarms run on this machine\n✓ manta-nb: ")
    assert {finding["state"] for finding in json.loads(data.out)["findings"]} <= {"good", "lacks", "missing"}


def test_what_is_missing_is_not_ready() -> None:
    """One cross is enough; what can be done without is none."""
    lacks = Finding("browser", "lacks", "none", "do without")
    missing = Finding("torch", "missing", "not there", "pip install torch")

    assert Report((lacks,)).ready and not Report((lacks, missing)).ready
    assert str(Report((missing,))).splitlines()[-1] == "✗ torch: not there → pip install torch"


def test_html_is_escaped() -> None:
    """In a notebook it is a card."""
    html = Report((Finding("Python", "good", "<3.11>"),))._repr_html_()

    assert "&lt;3.11&gt;" in html and "<3.11>" not in html
