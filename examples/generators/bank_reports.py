"""Banco Aurora's two annual reports: 2025 in English, 2024 in Portuguese (figures in R$ million)."""

from __future__ import annotations

from pathlib import Path

from examples.generators.paper import Block, Bullets, Heading, PageBreak, Paragraph, Table, pdf

COMPANY = "Banco Aurora S.A."


def write(folder: Path) -> None:
    """Write both reports below `folder`."""
    pdf(
        folder / "reports/annual-report-2025.pdf",
        "Annual Report 2025",
        [*_letter(), *_performance(), *_balance(), *_credit(), *_capital(), *_governance()],
        company=COMPANY,
        subtitle="Year ended 31 December 2025\nApproved by the Board of Directors on 10 February 2026",
    )
    pdf(
        folder / "reports/relatorio-anual-2024.pdf",
        "Relatório Anual 2024",
        _report_2024(),
        company=COMPANY,
        subtitle="Exercício findo em 31 de dezembro de 2024\nAprovado pelo Conselho de Administração em 11 de fevereiro de 2025",
        lang="pt",
    )


def _letter() -> list[Block]:
    return [
        Heading("1 Letter from the Chief Executive"),
        Paragraph(
            "2025 was the year in which Banco Aurora finished the programme we began in 2022: fewer, better branches, one core banking platform and a balance sheet that funds itself from customers. Net income reached R$ 1,284 million, 24.2% more than in 2024, and return on average equity rose to 15.5%."
        ),
        Paragraph(
            "We closed nine branches and opened two, in Uberlândia and Vitória, so that the network ended the year with 187 branches. Digital channels now carry 91% of all transactions. At the same time customers told us that they still want a person for three things: opening a business account, buying a home and solving a problem. Our branches are being rebuilt around these three."
        ),
        Paragraph(
            "The outage of our Pix service on 3 September was a failure that we own. It lasted 2 hours and 47 minutes. Fees of affected customers were refunded within five days, and the second connection to the instant payment network that we promised then has been in service since 24 November 2025."
        ),
        Paragraph("Helena Vasconcelos Prado, Chief Executive Officer"),
        Heading("1.1 The year in figures", 2),
        Table(
            ("Indicator", "2025", "2024", "2023"),
            (
                ("Net income (R$ million)", "1,284", "1,034", "896"),
                ("Return on average equity", "15.5%", "14.1%", "13.2%"),
                ("Cost-to-income ratio", "47.3%", "48.5%", "50.0%"),
                ("Loans more than 90 days overdue", "3.1%", "3.6%", "3.9%"),
                ("CET1 ratio", "12.9%", "12.4%", "12.1%"),
                ("Customers (thousand)", "4,870", "4,512", "4,196"),
                ("Employees", "6,318", "6,142", "6,075"),
                ("Branches", "187", "194", "203"),
            ),
        ),
        Heading("1.2 Priorities for 2026", 2),
        Bullets(
            (
                "Grow the mortgage portfolio by 12% to 15% without relaxing the maximum loan-to-value of 80%.",
                "Bring the cost-to-income ratio below 46%.",
                "Move the remaining 38 back-office systems to the new core platform by September 2026.",
                "Train all branch staff in the new customer-identification procedure before the end of June.",
            )
        ),
        PageBreak(),
    ]


def _performance() -> list[Block]:
    return [
        Heading("2 Financial performance"),
        Paragraph(
            "Total revenue grew 8.7% to R$ 5,558 million. Net interest income contributed R$ 340 million of the increase, helped by a larger payroll-deductible portfolio and by term deposits that repriced more slowly than loans. Fee income grew 7.4%, mostly from cards and insurance brokerage; account fees fell for the third year."
        ),
        Table(
            ("R$ million", "2025", "2024", "2023"),
            (
                ("Interest income", "9,846", "8,912", "8,105"),
                ("Interest expense", "(5,628)", "(5,034)", "(4,611)"),
                ("Net interest income", "4,218", "3,878", "3,494"),
                ("Fee and commission income", "1,126", "1,048", "981"),
                ("Trading and other income", "214", "187", "165"),
                ("Total revenue", "5,558", "5,113", "4,640"),
                ("Loan loss provisions", "(1,092)", "(1,157)", "(1,043)"),
                ("Personnel expenses", "(1,384)", "(1,302)", "(1,214)"),
                ("Administrative expenses", "(1,006)", "(958)", "(905)"),
                ("Depreciation and amortisation", "(237)", "(221)", "(203)"),
                ("Income before tax", "1,839", "1,475", "1,275"),
                ("Income tax", "(555)", "(441)", "(379)"),
                ("Net income", "1,284", "1,034", "896"),
            ),
            "Table 2.1 Consolidated income statement",
            ("Net interest income", "Total revenue", "Income before tax", "Net income"),
        ),
        Heading("2.1 Expenses", 2),
        Paragraph(
            "Personnel expenses rose 6.3% after the collective agreement of September 2025, which raised salaries by 5.8%. Administrative expenses rose 5.0%, less than inflation in the cities where most of our branches are. Spending on technology was R$ 412 million, of which R$ 138 million was capitalised."
        ),
        Heading("2.2 Fee income", 2),
        Table(
            ("R$ million", "2025", "2024"),
            (
                ("Cards", "438", "391"),
                ("Insurance brokerage", "247", "218"),
                ("Account packages", "196", "214"),
                ("Asset management", "143", "128"),
                ("Other services", "102", "97"),
                ("Fee and commission income", "1,126", "1,048"),
            ),
            "Table 2.2 Fee and commission income by source",
            ("Fee and commission income",),
        ),
        Heading("2.3 Quarterly results", 2),
        Table(
            ("R$ million", "1Q25", "2Q25", "3Q25", "4Q25"),
            (
                ("Net interest income", "1,012", "1,041", "1,069", "1,096"),
                ("Loan loss provisions", "(281)", "(276)", "(270)", "(265)"),
                ("Net income", "296", "315", "327", "346"),
            ),
            "Table 2.3 Quarterly development",
        ),
        PageBreak(),
    ]


def _balance() -> list[Block]:
    return [
        Heading("3 Balance sheet and funding"),
        Table(
            ("R$ million, 31 December", "2025", "2024"),
            (
                ("Cash and central bank reserves", "6,420", "5,980"),
                ("Securities", "18,735", "16,902"),
                ("Loans, net of allowance", "59,606", "53,549"),
                ("Other assets", "4,187", "3,942"),
                ("Total assets", "88,948", "80,373"),
                ("Demand deposits", "11,204", "10,615"),
                ("Savings deposits", "9,118", "8,870"),
                ("Term deposits", "37,662", "33,204"),
                ("Financial bills (letras financeiras)", "9,850", "8,540"),
                ("Interbank and repo funding", "7,935", "7,612"),
                ("Other liabilities", "4,301", "3,894"),
                ("Total liabilities", "80,070", "72,735"),
                ("Shareholders' equity", "8,878", "7,638"),
            ),
            "Table 3.1 Consolidated balance sheet",
            ("Total assets", "Total liabilities", "Shareholders' equity"),
        ),
        Heading("3.1 Shareholders' equity", 2),
        Paragraph(
            "Equity rose by R$ 1,240 million. Net income added R$ 1,284 million and the capital increase of May 2025 added R$ 342 million; dividends and interest on equity of R$ 386 million were paid, a payout of 30.1%. The Board proposes to keep the payout between 30% and 35% until the total capital ratio exceeds 17%."
        ),
        Heading("3.2 Funding and liquidity", 2),
        Paragraph(
            "Customer deposits fund 97% of the net loan book. The ten largest depositors hold 6.8% of all deposits, down from 8.1%. In August the bank issued R$ 1.2 billion of two-year financial bills at 104.5% of the interbank rate, its largest public issue so far."
        ),
        Table(
            ("Liquidity indicator", "2025", "2024", "Minimum"),
            (
                ("Liquidity coverage ratio (LCR)", "164%", "151%", "100%"),
                ("Net stable funding ratio (NSFR)", "118%", "115%", "100%"),
                ("High-quality liquid assets (R$ million)", "14,260", "12,480", "–"),
            ),
            "Table 3.2 Liquidity",
        ),
        PageBreak(),
    ]


def _credit() -> list[Block]:
    return [
        Heading("4 Credit portfolio and risk"),
        Paragraph(
            "The gross portfolio grew 11.0% to R$ 62,480 million. Payroll-deductible loans and mortgages are 53% of it. Loans more than 90 days overdue fell to 3.1% of the portfolio; the coverage of overdue loans by allowances rose from 136% to 148%."
        ),
        Table(
            ("Segment", "2025", "2024", "Change", "Overdue > 90 days"),
            (
                ("Payroll-deductible", "18,920", "16,880", "12.1%", "1.8%"),
                ("Mortgage", "14,310", "12,470", "14.8%", "1.2%"),
                ("Vehicle", "7,640", "7,205", "6.0%", "4.4%"),
                ("Cards and overdraft", "4,880", "4,512", "8.2%", "8.9%"),
                ("Small and medium enterprises", "11,460", "10,318", "11.1%", "4.1%"),
                ("Corporate", "5,270", "4,925", "7.0%", "0.9%"),
                ("Total", "62,480", "56,310", "11.0%", "3.1%"),
            ),
            "Table 4.1 Loan portfolio by segment (R$ million)",
            ("Total",),
        ),
        Heading("4.1 Concentration", 2),
        Paragraph(
            "The largest single borrower accounts for 1.1% of the portfolio and the twenty largest for 9.6%. Agribusiness, at 7.2% of loans, is the largest industry exposure after households; the Board's ceiling for any one industry is 12%."
        ),
        Heading("4.2 Operational risk", 2),
        Paragraph(
            "Operational losses were R$ 74 million, against R$ 69 million in 2024. Card fraud caused R$ 31 million of them, labour claims R$ 22 million and the Pix outage of September R$ 4.6 million, refunds included."
        ),
        Heading("4.3 Climate and social risk", 2),
        Paragraph(
            "Since July 2025 every corporate loan above R$ 20 million is rated for climate and social risk before approval. Of 212 loans rated, nine were declined and 31 were approved with conditions."
        ),
        PageBreak(),
    ]


def _capital() -> list[Block]:
    return [
        Heading("5 Capital"),
        Paragraph(
            "The common equity tier 1 (CET1) ratio ended the year at 12.9%, half a point more than a year before and well above the regulatory minimum of 8.0% including buffers. The Board's own floor for CET1 is 11.0%, with an early warning at 11.5%."
        ),
        Table(
            ("R$ million, 31 December", "2025", "2024"),
            (
                ("Common equity tier 1 capital", "7,912", "6,842"),
                ("Additional tier 1 capital", "850", "850"),
                ("Tier 2 capital", "1,460", "1,310"),
                ("Total capital", "10,222", "9,002"),
                ("Risk-weighted assets", "61,330", "55,180"),
                ("CET1 ratio", "12.9%", "12.4%"),
                ("Tier 1 ratio", "14.3%", "13.9%"),
                ("Total capital ratio", "16.7%", "16.3%"),
                ("Leverage ratio", "9.2%", "9.0%"),
            ),
            "Table 5.1 Regulatory capital",
            ("Total capital",),
        ),
        Heading("5.1 Capital plan", 2),
        Paragraph(
            "The plan for 2026 to 2028 assumes portfolio growth of 10% a year and a payout of 32%. Under the severe scenario (unemployment of 14%, house prices down 20%) CET1 would fall to 9.7% in 2027 and recover to 10.4% in 2028 without new shares."
        ),
        PageBreak(),
    ]


def _governance() -> list[Block]:
    return [
        Heading("6 Governance and people"),
        Paragraph(
            "The Board of Directors has nine members, five of them independent, and met 14 times. Otávio Brandão has chaired it since April 2021. The audit committee, chaired by Regina Sampaio, met 11 times; the risk committee, chaired by Paulo Nakamura, met 12 times."
        ),
        Table(
            ("Name", "Position", "Since"),
            (
                ("Helena Vasconcelos Prado", "Chief Executive Officer", "March 2022"),
                ("Marcelo Tavares Rocha", "Chief Financial Officer", "August 2019"),
                ("Denise Campos Leal", "Chief Risk Officer", "January 2023"),
                ("Rafael Monteiro Dias", "Chief Information Officer", "October 2024"),
                ("Sílvia Andrade Nunes", "Head of Branch Network", "June 2020"),
            ),
            "Table 6.1 Executive committee",
        ),
        Heading("6.1 Employees", 2),
        Paragraph(
            "The bank employed 6,318 people at year end, 54% of them women; women hold 41% of management positions. Voluntary turnover was 8.3%. Employees received an average of 37 hours of training."
        ),
        Heading("6.2 External audit", 2),
        Paragraph(
            "Veiga & Montenegro Auditores have audited the financial statements since 2022 and gave an unqualified opinion on 9 February 2026. Their fees were R$ 6.4 million for audit and R$ 0.3 million for other services."
        ),
        Heading("6.3 Calendar", 2),
        Bullets(
            (
                "Annual shareholders' meeting: 23 April 2026",
                "First quarter results: 7 May 2026",
                "Second quarter results: 6 August 2026",
                "Third quarter results: 5 November 2026",
            )
        ),
    ]


def _report_2024() -> list[Block]:
    return [
        Heading("1 Mensagem da Presidente"),
        Paragraph(
            "Em 2024, o Banco Aurora lucrou R$ 1.034 milhões, 15,4% a mais do que em 2023. Encerramos nove agências de baixo movimento e terminamos o ano com 194 unidades. A inadimplência acima de 90 dias caiu para 3,6% da carteira e o índice de eficiência melhorou para 48,5%."
        ),
        Paragraph(
            "O ano foi marcado pela migração de 2,9 milhões de contas para a nova plataforma, concluída no fim de semana de 12 e 13 de outubro, sem interrupção dos canais digitais. Agradeço às 640 pessoas que trabalharam naquele fim de semana."
        ),
        Paragraph("Helena Vasconcelos Prado, Presidente"),
        Heading("1.1 Principais indicadores", 2),
        Table(
            ("Indicador", "2024", "2023"),
            (
                ("Lucro líquido (R$ milhões)", "1.034", "896"),
                ("Retorno sobre o patrimônio médio", "14,1%", "13,2%"),
                ("Índice de eficiência", "48,5%", "50,0%"),
                ("Inadimplência acima de 90 dias", "3,6%", "3,9%"),
                ("Índice de Basileia", "16,3%", "15,9%"),
                ("Clientes (mil)", "4.512", "4.196"),
                ("Colaboradores", "6.142", "6.075"),
                ("Agências", "194", "203"),
            ),
        ),
        PageBreak(),
        Heading("2 Demonstração do resultado"),
        Paragraph(
            "A margem financeira cresceu 11,0%, puxada pelo crédito consignado. As provisões subiram 10,9% por causa da carteira de veículos da safra de 2022, que já foi reduzida. As despesas administrativas cresceram 5,9%."
        ),
        Table(
            ("R$ milhões", "2024", "2023"),
            (
                ("Receitas de juros", "8.912", "8.105"),
                ("Despesas de juros", "(5.034)", "(4.611)"),
                ("Margem financeira", "3.878", "3.494"),
                ("Receitas de tarifas e serviços", "1.048", "981"),
                ("Resultado de tesouraria e outros", "187", "165"),
                ("Receita total", "5.113", "4.640"),
                ("Provisão para perdas de crédito", "(1.157)", "(1.043)"),
                ("Despesas de pessoal", "(1.302)", "(1.214)"),
                ("Despesas administrativas", "(958)", "(905)"),
                ("Depreciação e amortização", "(221)", "(203)"),
                ("Lucro antes dos impostos", "1.475", "1.275"),
                ("Imposto de renda e contribuição social", "(441)", "(379)"),
                ("Lucro líquido", "1.034", "896"),
            ),
            "Tabela 2.1 Demonstração consolidada do resultado",
            ("Margem financeira", "Receita total", "Lucro líquido"),
        ),
        PageBreak(),
        Heading("3 Balanço patrimonial"),
        Table(
            ("R$ milhões, 31 de dezembro", "2024", "2023"),
            (
                ("Caixa e reservas no Banco Central", "5.980", "5.610"),
                ("Títulos e valores mobiliários", "16.902", "15.244"),
                ("Operações de crédito, líquidas", "53.549", "48.117"),
                ("Outros ativos", "3.942", "3.705"),
                ("Ativo total", "80.373", "72.676"),
                ("Depósitos à vista", "10.615", "10.208"),
                ("Depósitos de poupança", "8.870", "8.731"),
                ("Depósitos a prazo", "33.204", "29.116"),
                ("Letras financeiras", "8.540", "7.380"),
                ("Captações interfinanceiras", "7.612", "6.902"),
                ("Outros passivos", "3.894", "3.427"),
                ("Patrimônio líquido", "7.638", "6.912"),
            ),
            "Tabela 3.1 Balanço patrimonial consolidado",
            ("Ativo total", "Patrimônio líquido"),
        ),
        Heading("3.1 Dividendos", 2),
        Paragraph(
            "Foram distribuídos R$ 308 milhões em dividendos e juros sobre o capital próprio, equivalentes a 29,8% do lucro líquido do exercício, pagos em duas parcelas, em agosto de 2024 e em março de 2025."
        ),
        PageBreak(),
        Heading("4 Capital e liquidez"),
        Table(
            ("R$ milhões, 31 de dezembro", "2024", "2023"),
            (
                ("Capital principal", "6.842", "6.105"),
                ("Capital complementar", "850", "850"),
                ("Capital de nível II", "1.310", "1.068"),
                ("Patrimônio de referência", "9.002", "8.023"),
                ("Ativos ponderados pelo risco", "55.180", "50.460"),
                ("Índice de capital principal", "12,4%", "12,1%"),
                ("Índice de Basileia", "16,3%", "15,9%"),
                ("Indicador de liquidez de curto prazo", "151%", "146%"),
            ),
            "Tabela 4.1 Capital regulatório e liquidez",
        ),
        Heading("4.1 Emissões", 2),
        Paragraph(
            "Em junho de 2024, o banco emitiu R$ 240 milhões em letras financeiras subordinadas, com vencimento em dez anos e opção de recompra a partir do quinto ano, que compõem o capital de nível II."
        ),
        PageBreak(),
        Heading("5 Rede, pessoas e sustentabilidade"),
        Paragraph(
            "A rede terminou 2024 com 194 agências em sete estados, 61 delas no novo formato sem caixa em espécie. O investimento em treinamento foi de R$ 18,4 milhões, uma média de 33 horas por colaborador."
        ),
        Bullets(
            (
                "Energia: 72% do consumo das agências veio de fontes renováveis contratadas.",
                "Voluntariado: 1.380 colaboradores doaram 9.200 horas a escolas públicas.",
                "Microcrédito: 41 mil clientes atendidos, com valor médio de R$ 3.150 por contrato.",
            )
        ),
        Heading("5.1 Ouvidoria", 2),
        Paragraph(
            "A ouvidoria recebeu 12.846 manifestações, 9% a menos do que em 2023, e respondeu a 96% delas em até dez dias úteis. Os temas mais frequentes foram cobrança de tarifas, contestação de compras no cartão e portabilidade de consignado."
        ),
    ]
