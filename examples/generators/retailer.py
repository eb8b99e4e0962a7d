"""The binary documents of Casa Verde, a fictional home and garden retailer."""

from __future__ import annotations

import csv
from pathlib import Path

from examples.generators.paper import (
    Sheet,
    xlsx,
)
from examples.generators.retailer_drills import write_drill_manual
from examples.generators.retailer_policies import write_policies, write_warranty
from examples.generators.retailer_suppliers import write_contracts

COMPANY = "Casa Verde"
MONEY = '"R$" #,##0.00'

CLUB_PRICE = 0.97
"""Silver members of the loyalty programme pay 3 % less."""


def write(folder: Path) -> None:
    """Write the PDF, DOCX and XLSX files of the company below `folder`."""
    write_prices(folder)
    write_promotions(folder)
    write_margins(folder)
    write_policies(folder)
    write_warranty(folder)
    write_contracts(folder)
    for model, sku, voltage, torque, chuck, speed in (
        ("FM-500", "CV-1001", "18 V", "28 N·m", "10 mm", "1,600 rpm"),
        ("FM-550", "CV-1002", "20 V", "34 N·m", "13 mm", "1,900 rpm"),
    ):
        write_drill_manual(folder, model, sku, voltage, torque, chuck, speed)


def write_prices(folder: Path) -> None:
    """Write the price list of March 2025."""
    with (folder / "catalogue/catalogue.csv").open(encoding="utf-8", newline="") as file:
        products = list(csv.DictReader(file))
    rows = tuple(
        (
            product["SKU"],
            product["Product"],
            product["Brand"],
            float(product["Price (R$)"]),
            round(float(product["Price (R$)"]) * CLUB_PRICE, 2),
            4 if product["Category"] == "power tools" else 12,
        )
        for product in products
    )
    shelf, club = "Shelf price (R$)", "Club Silver price (R$)"
    sheet = Sheet(
        "Prices March 2025",
        ("SKU", "Product", "Brand", shelf, club, "Units per box"),
        rows,
        ((shelf, MONEY), (club, MONEY)),
    )
    rules = Sheet(
        "Rules",
        ("Topic", "Rule"),
        (
            ("Validity", "Valid from 3 March 2025 to 31 March 2025 in all stores and online."),
            ("Gold members", "Gold members of Clube Verde pay 6% less than the shelf price."),
            ("Labels", "White labels show the shelf price, yellow labels show a promotion."),
            ("Wrong label", "If two prices are shown, the customer pays the lower one."),
            ("Price changes", "Changes are loaded on Mondays at 05:00 by the pricing team."),
        ),
    )
    path = folder / "prices/price-list-2025-03.xlsx"
    xlsx(path, (sheet, rules), title="Store price list, March 2025", company=COMPANY)


def write_promotions(folder: Path) -> None:
    """Write the promotion calendar of 2025; its FM-550 price is an early plan."""
    promos = Sheet(
        "Calendário 2025",
        ("Campanha", "Início", "Fim", "Produtos", "Desconto", "Responsável"),
        (
            ("Volta às obras", "06/01/2025", "19/01/2025", "tintas Serena", "12%", "Caio Lins"),
            ("Carnaval do jardim", "24/02/2025", "05/03/2025", "mangueiras", "15%", "Bia Rocha"),
            ("Semana da furadeira", "14/03/2025", "23/03/2025", "FM-550", "10%", "Elisa Ramos"),
            ("Páscoa verde", "11/04/2025", "20/04/2025", "vasos e terra", "18%", "Bia Rocha"),
            ("Dia das Mães", "28/04/2025", "11/05/2025", "orquídeas e vasos", "20%", "Caio Lins"),
            ("Festa junina", "09/06/2025", "24/06/2025", "refletores e mesas", "14%", "Bia Rocha"),
            ("Inverno quentinho", "01/07/2025", "15/07/2025", "aquecedores", "8%", "Caio Lins"),
            ("Dia dos Pais", "28/07/2025", "10/08/2025", "ferramentas", "15%", "Elisa Ramos"),
            ("Primavera", "15/09/2025", "28/09/2025", "sementes e adubos", "25%", "Bia Rocha"),
            ("Semana Verde", "21/11/2025", "30/11/2025", "toda a loja", "até 40%", "Elisa Ramos"),
        ),
    )
    notes = Sheet(
        "Observações",
        ("Assunto", "Texto"),
        (
            ("Versão", "Calendário aprovado em 9 de dezembro de 2024; sujeito a mudanças."),
            ("FM-550", "Preço previsto na Semana da furadeira: R$ 575,90 (plano de dezembro)."),
            ("Aquecedores", "Rever a campanha Inverno quentinho se houver falta de estoque."),
            ("Cartazes", "Arte final entregue 10 dias antes do início de cada campanha."),
        ),
    )
    path = folder / "prices/calendario-promocional-2025.xlsx"
    xlsx(path, (promos, notes), title="Calendário promocional 2025", company=COMPANY)


def write_margins(folder: Path) -> None:
    """Write the gross margins by category and product (restricted to pricing)."""
    categories = Sheet(
        "Margins by category",
        ("Category", "Net sales 2024 (R$ thousand)", "Gross margin 2024", "Margin target 2025"),
        (
            ("power tools", 18420, "27.4%", "28.5%"),
            ("paint", 22960, "31.8%", "32.0%"),
            ("lighting", 9730, "41.2%", "40.0%"),
            ("climate", 7510, "22.6%", "25.0%"),
            ("garden", 15280, "44.9%", "45.5%"),
            ("garden machines", 4190, "24.3%", "26.0%"),
            ("outdoor", 6880, "33.7%", "35.0%"),
        ),
        (("Net sales 2024 (R$ thousand)", "#,##0"),),
    )
    products = Sheet(
        "Key products",
        ("SKU", "Product", "Landed cost (R$)", "Gross margin", "Lowest allowed price (R$)"),
        (
            ("CV-1001", "Drill FM-500", 301, "23.8%", 379),
            ("CV-1002", "Drill FM-550", 442, "25.1%", 529),
            ("CV-2001", "Serena Fosca 18 L", 258, "29.6%", 339),
            ("CV-3004", "Aurora pendant lamp", 149, "43.0%", 219),
            ("CV-4004", "AquecePlus 2000", 205, "19.7%", 249),
            ("CV-5002", "Hose 30 m", 66, "46.2%", 99),
        ),
    )
    path = folder / "margins/margins-2025.xlsx"
    xlsx(path, (categories, products), title="Gross margins 2024 and targets", company=COMPANY)
