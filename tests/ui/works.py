"""A company with one source in use, and folders that wait to be added as others."""

from __future__ import annotations

from pathlib import Path

from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from tests.ui.world import Member

MEMBERS = (
    Member("olga", "Olga Reis", "en", "plant", roles=("admin",)),
    Member("ivo", "Ivo Melo", "pt", "plant", roles=("employee", "integrator")),
    Member("eva", "Eva Dias", "en", "plant"),
)

FILES = {
    "companies/plant/.groups.toml": '[groups]\nstaff = ["user:eva", "user:ivo"]\n',
    "companies/plant/.access.toml": 'allow = ["group:staff"]\n',
    "companies/plant/canteen.md": "# Canteen\n\nThe canteen opens at noon.\n",
    "waiting/manuals/.access.toml": 'allow = ["group:staff"]\n',
    "waiting/manuals/press.md": "# Press\n\nThe press is oiled every Monday.\n",
    "waiting/manuals/lathe.md": "# Lathe\n\nThe lathe turns at 1,200 rpm.\n",
    "waiting/manuals/scan.pdf": "%PDF-1.7 cut off here\n",
    "waiting/notices/.access.toml": 'allow = ["everyone"]\n',
    "waiting/notices/fire.md": "# Fire\n\nIn a fire, leave by the stairs.\n",
}


def write(folder: Path) -> None:
    """Write the source's folder below `folder`, and those that wait beside it."""
    for name, text in FILES.items():
        path = folder.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    canvas = Canvas(str(folder.parent / "press.pdf"), pagesize=(595, 842), invariant=1)
    canvas.drawString(72, 770, "The press closes with a force of 400 kN.")
    canvas.save()
