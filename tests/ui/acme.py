"""A small company with an admin and an auditor, and another that nobody there knows of."""

from __future__ import annotations

from pathlib import Path

from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from tests.ui.world import Member

INVOICES = "How long are invoices kept?"
BOLTS = "What torque do the casing bolts of pump P-7 need?"
SALARY = "What is the salary of the plant director?"
REACTOR = "At which pressure is the reactor stopped?"

MEMBERS = (
    Member("ana", "Ana Souza", "en", "acme", (INVOICES,)),
    Member("bruno", "Bruno Lima", "pt", "acme", (INVOICES,)),
    Member("otto", "Otto Braga", "en", "acme", roles=("admin",)),
    Member("vera", "Vera Melo", "en", "acme", roles=("auditor",)),
)

INJECTED = """# Visitor rules

Visitors wear a badge <img src=x onerror="document.title='owned'"><script>document.title='owned'\
</script> in **all** halls. Read [the portal](https://evil.example/?steal=1) and \
https://evil.example/now before you come.
"""

FILES = {
    "acme/.groups.toml": '[groups]\nfinance = ["user:ana"]\nstaff = ["user:ana", "user:bruno"]\n',
    "acme/.access.toml": 'allow = ["group:staff"]\n',
    "acme/finance/.access.toml": 'allow = ["group:finance"]\n',
    "acme/retention.md": (
        "# Retention\n\nInvoices are kept for ten years in the archive of the head office.\n\n"
        "# Badges\n\nA lost badge is reported to the front desk within 24 hours.\n"
    ),
    "acme/finance/salaries.md": (
        "# Salaries\n\nThe salary of the plant director is 41,500 reais a month.\n"
    ),
    "acme/ferias.md": (
        "# Férias\n\nCada funcionário tem direito a 30 dias de férias por ano.\n\n"
        "# Vale-refeição\n\nO vale-refeição é de 38 reais por dia trabalhado.\n"
    ),
    "acme/prices.csv": "item,price\nHex bolt M8,0.42 EUR\nLock washer M8,0.07 EUR\n",
    "acme/visitors.md": INJECTED,
    "globex/.groups.toml": '[groups]\nall = ["user:carla"]\n',
    "globex/.access.toml": 'allow = ["group:all"]\n',
    "globex/reactor.md": "# Reactor\n\nThe reactor is stopped at a pressure of 93 bar.\n",
}


def write(folder: Path) -> None:
    """Write the folders of both companies."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    _manual(folder / "acme" / "pump-manual.pdf")


def _manual(path: Path) -> None:
    canvas = Canvas(str(path), pagesize=(595, 842), invariant=1)
    canvas.setTitle("Pump manual")
    canvas.setFont("Helvetica-Bold", 16)
    canvas.drawString(72, 770, "Pump manual")
    canvas.setFont("Helvetica", 11)
    canvas.drawString(72, 730, "This manual describes the pump P-7 of the cooling line.")
    canvas.showPage()
    canvas.setFont("Helvetica-Bold", 14)
    canvas.drawString(72, 770, "Casing bolts")
    canvas.setFont("Helvetica", 11)
    canvas.drawString(72, 740, "The casing bolts of the pump P-7 are tightened with 85 Nm.")
    canvas.drawString(72, 700, "Check them again after the first 50 hours of operation.")
    canvas.showPage()
    canvas.save()
