"""The README's section on the documents' examples: every command in it is run, and answers as it says there."""

import re
import shutil

from driver.checks import equal, expect
from driver.clients.base import ROOT
from driver.readme import Session, sections, steps

TITLE = "The documents' examples"


def missing():
    absent = [tool for tool in ("bash", "curl", "openssl") if not shutil.which(tool)]
    return f"{' and '.join(absent)} not installed" if absent else ""


def _run(lab, document, least):
    before, parts = sections(TITLE)
    expect(document in parts, f"no part {document} among {list(parts)}")
    found = steps(parts[document])
    expect(len(found) >= least, f"only {len(found)} commands in {document}")
    with Session(lab.gateway) as session:
        for step in steps(before) + found:
            session.run(step)


def test_readme_seed_000_console_steps(lab):
    _run(lab, "000", 5)


def test_readme_seed_001_token_in_two_steps_and_endpoints(lab):
    _run(lab, "001", 7)


def test_readme_seed_002_service_accounts(lab):
    _run(lab, "002", 15)


def test_readme_seed_003_token_with_name_user_and_validity(lab):
    _run(lab, "003", 5)


def test_readme_seed_parts_are_all_run_and_show_no_token(lab):
    _, parts = sections(TITLE)
    equal(list(parts), ["000", "001", "002", "003"], "parts of the section")
    text = (ROOT / "README.md").read_text()
    equal(re.findall(r"tg(?:pat|ses|sec)_\w+", text), [], "tokens in the README")
