"""Binary documents of the bank, Banco Aurora: two reports, five policies, minutes, rates, salaries."""

from __future__ import annotations

from pathlib import Path

from examples.generators import bank_policies, bank_reports
from examples.generators.paper import Sheet, xlsx

COMPANY = "Banco Aurora S.A."


def write(folder: Path) -> None:
    """Write every PDF, DOCX and XLSX of the bank below `folder`, the company's folder."""
    bank_reports.write(folder)
    bank_policies.write(folder)
    xlsx(
        folder / "rates/deposit-and-loan-rates-2026-10.xlsx",
        _rates(),
        title="Deposit and loan rates, October 2026",
        company=COMPANY,
    )
    xlsx(
        folder / "hr/salary-grid-branches-2026.xlsx",
        _salaries(),
        title="Salary grid, branch network, 2026",
        company=COMPANY,
    )


def _rates() -> list[Sheet]:
    return [
        Sheet(
            "Term deposits",
            ("Product", "Term (days)", "Minimum (R$)", "Rate (% of CDI)", "Early withdrawal"),
            (
                ("CDB Aurora Livre", 90, 1000, 96.5, "any day"),
                ("CDB Aurora 180", 180, 1000, 99.25, "after 30 days"),
                ("CDB Aurora 360", 360, 2500, 102.75, "after 90 days"),
                ("CDB Aurora 720", 720, 5000, 105.25, "at maturity only"),
                ("CDB Aurora Prime 1080", 1080, 50000, 108.75, "at maturity only"),
                ("LCI Aurora Casa", 270, 10000, 92.5, "at maturity only"),
                ("LCA Aurora Campo", 365, 10000, 93.75, "at maturity only"),
            ),
        ),
        Sheet(
            "Loans",
            ("Loan", "Longest term (months)", "Rate (% a month)", "Rate (% a year)", "Fee (R$)"),
            (
                ("Payroll-deductible, public servants", 96, 1.62, 21.27, 0),
                ("Payroll-deductible, private companies", 60, 2.14, 28.93, 0),
                ("Personal loan", 48, 4.85, 76.54, 0),
                ("Overdraft", 1, 7.95, 150.42, 0),
                ("Vehicle, new", 60, 1.78, 23.58, 690),
                ("Vehicle, used", 48, 2.31, 31.53, 690),
                ("Mortgage, residential", 420, 0.87, 10.95, 3100),
                ("Working capital, SME", 36, 2.48, 34.18, 450),
                ("Receivables discount", 6, 2.17, 29.39, 120),
            ),
        ),
        Sheet(
            "Notes",
            ("Topic", "Note"),
            (
                (
                    "Validity",
                    "Rates hold from 1 to 31 October 2026 and are replaced on the first business day of November.",
                ),
                (
                    "Discount",
                    "Customers who receive their salary at Banco Aurora get 0.15 percentage points a month off personal and vehicle loans.",
                ),
                (
                    "Approval",
                    "Any rate outside this workbook needs the signature of the pricing desk, extension 4478.",
                ),
            ),
        ),
    ]


def _salaries() -> list[Sheet]:
    return [
        Sheet(
            "Grid 2026",
            ("Grade", "Position", "Entry (R$)", "Midpoint (R$)", "Ceiling (R$)"),
            (
                ("B1", "Teller", 3280, 3790, 4310),
                ("B2", "Customer service agent", 3940, 4625, 5380),
                ("B3", "Service supervisor", 5870, 6940, 8115),
                ("B4", "Relationship manager", 7450, 8980, 10640),
                ("B5", "Branch manager", 11200, 13850, 16900),
            ),
        ),
        Sheet(
            "Bonus",
            ("Grade", "Target bonus (salaries)", "Maximum bonus (salaries)"),
            (
                ("B1", 0.8, 1.2),
                ("B2", 1.1, 1.6),
                ("B3", 1.5, 2.2),
                ("B4", 2.4, 3.6),
                ("B5", 3.2, 4.9),
            ),
        ),
    ]
