"""The binary documents of Metalnorte, a fictional foundry and machining plant."""

from __future__ import annotations

from pathlib import Path

from examples.generators.factory_papers import (
    write_certificate,
    write_forklift_incident,
    write_hot_work,
    write_incoming_inspection,
)
from examples.generators.factory_press import write_press_manual
from examples.generators.factory_pumps import P_101, P_102, write_pump_manual
from examples.generators.paper import (
    Sheet,
    xlsx,
)

COMPANY = "Metalnorte"


def write(folder: Path) -> None:
    """Write the PDF, DOCX and XLSX files of the company below `folder`."""
    for pump in (P_101, P_102):
        write_pump_manual(folder, pump, COMPANY)
    write_press_manual(folder)
    write_spare_parts(folder)
    write_hot_work(folder)
    write_incoming_inspection(folder)
    write_forklift_incident(folder)
    write_certificate(folder)
    write_allowances(folder)


def write_spare_parts(folder: Path) -> None:
    """Write the spare-parts stock list; one of its prices is out of date on purpose."""
    stock = Sheet(
        "Spare parts",
        ("Part", "Description", "Asset", "In stock", "Minimum", "Unit price (R$)", "Location"),
        (
            ("ST-45-SC", "Mechanical seal 45 mm", "P-101", 2, 2, 1640, "A-03-1"),
            ("ST-50-TC", "Mechanical seal 50 mm", "P-102", 1, 2, 2340, "A-03-2"),
            ("6309-2Z", "Deep groove ball bearing", "P-101", 3, 4, 186, "A-05-4"),
            ("6308-2Z", "Deep groove ball bearing", "P-101", 5, 4, 142, "A-05-3"),
            ("7311-B", "Angular contact bearing", "P-102", 1, 2, 498, "A-05-6"),
            ("CPL-95", "Coupling insert size 95", "P-101", 0, 2, 315, "A-04-2"),
            ("CPL-110", "Coupling insert size 110", "P-102", 2, 2, 372, "A-04-3"),
            ("GX-320", "Casing gasket 320 mm", "P-101", 6, 4, 58, "B-01-1"),
            ("GX-350", "Casing gasket 350 mm", "P-102", 4, 4, 66, "B-01-2"),
            ("VD-320-07", "Cylinder seal ring", "PR-07", 1, 2, 2890, "C-02-1"),
            ("FR-10", "Return filter element", "PR-07", 7, 4, 415, "C-02-4"),
            ("CL-T4-1200", "Light curtain type 4", "PR-07", 0, 1, 18400, "on order"),
            ("MX-220", "Extractor spring", "PR-07", 14, 8, 39, "C-03-2"),
            ("TK-K12", "Thermocouple type K 12 mm", "FO-02", 9, 6, 128, "D-01-5"),
            ("BR-75", "Belt scraper 750 mm", "TR-12", 0, 1, 560, "D-04-1"),
            ("CH-5T", "Hoist brake lining 5 t", "PT-05", 2, 2, 730, "E-01-3"),
            ("LV-24", "Coolant level switch 24 V", "CNC-03", 1, 2, 265, "F-02-2"),
            ("BT-48", "Forklift battery 48 V", "EM-04", 1, 1, 21500, "yard"),
        ),
        (("Unit price (R$)", "#,##0"),),
    )
    rules = Sheet(
        "Stock rules",
        ("Topic", "Rule"),
        (
            ("Update", "List of 31 March 2025. Prices were last reviewed in October 2024."),
            ("Reorder", "Order when the stock falls to the minimum or below."),
            ("Critical parts", "Seals and the light curtain need approval by Grace Kim."),
            ("Withdrawal", "Scan the part and the work order; no order, no part."),
        ),
    )
    path = folder / "maintenance/spare-parts.xlsx"
    xlsx(path, (stock, rules), title="Spare parts, March 2025", company=COMPANY)


def write_allowances(folder: Path) -> None:
    """Write the table of pay supplements (employees only)."""
    sheet = Sheet(
        "Adicionais 2025",
        ("Adicional", "Percentual", "Base de cálculo", "Quem recebe"),
        (
            ("Noturno", "35%", "hora normal", "empregados entre 22h00 e 5h00"),
            ("Periculosidade", "30%", "salário-base", "eletricistas e equipe do diesel"),
            ("Insalubridade média", "20%", "salário mínimo", "prensas e usinagem"),
            ("Insalubridade máxima", "40%", "salário mínimo", "fundição FO-02"),
            ("Sobreaviso", "33%", "hora normal", "manutenção de plantão"),
            ("Brigadista", "R$ 150", "valor fixo por mês", "membros da brigada"),
        ),
    )
    notes = Sheet(
        "Regras",
        ("Assunto", "Regra"),
        (
            ("Vigência", "Tabela válida de 1º de março de 2025 a 28 de fevereiro de 2026."),
            ("Acúmulo", "Periculosidade e insalubridade não se somam: vale a maior."),
            ("Participação nos lucros", "A meta de 2025 paga até 1,6 salário em março de 2026."),
            ("Contratados", "Não se aplica a empregados de empresas contratadas."),
        ),
    )
    path = folder / "hr/adicionais-2025.xlsx"
    xlsx(path, (sheet, notes), title="Adicionais salariais 2025", company=COMPANY)
