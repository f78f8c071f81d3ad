"""Our YANG modules, as pyang and Debian's yanglint read them."""

import shutil

from driver.checks import expect
from driver.clients.base import ROOT
from driver.process import run

YANG = ROOT / "proto" / "yang"
PYANG = ROOT / ".venv-yang" / "bin" / "pyang"
OURS = sorted((YANG / "accedian").glob("*.yang"))
# Its namespace is that of Accedian-session, so that both are never in one set of modules.
GNMI = YANG / "gnmi" / "accedian-session.yang"


def missing():
    if not PYANG.is_file():
        return "pyang is not installed"
    return "" if shutil.which("yanglint") else "yanglint is not installed (Debian's package libyang2-tools)"


def test_yang_modules_pass_pyang_lint(lab):
    done = run([PYANG, "--lint", "--max-line-length", "110", "-p", YANG, *OURS], 60)
    expect(done.code == 0 and not done.text.strip(), done.text)


def test_yang_modules_pass_yanglint(lab):
    expect(len(OURS) > 25, f"only {len(OURS)} modules were found")
    done = run(["yanglint", "-p", YANG / "ietf", "-p", YANG / "accedian", *OURS], 60)
    expect(done.code == 0 and not done.text.strip(), done.text)


def test_gnmi_model_passes_pyang_lint(lab):
    done = run([PYANG, "--lint", "--max-line-length", "110", GNMI], 60)
    expect(done.code == 0 and not done.text.strip(), done.text)


def test_gnmi_model_passes_yanglint(lab):
    done = run(["yanglint", GNMI], 60)
    expect(done.code == 0 and not done.text.strip(), done.text)
    shown = run(["yanglint", "-f", "tree", GNMI], 60)
    expect("monitored-object* [monitored-object-id monitored-object-name direction service-id]" in shown.text, shown.text)
