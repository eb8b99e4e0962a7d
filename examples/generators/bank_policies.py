"""Banco Aurora's policies and minutes as Word documents."""

from __future__ import annotations

from pathlib import Path

from examples.generators.paper import Block, Bullets, Heading, Paragraph, Table, docx

COMPANY = "Banco Aurora S.A."


def write(folder: Path) -> None:
    """Write the five policies and the board minutes below `folder`."""
    policies = folder / "policies"
    docx(
        policies / "aml-kyc-policy.docx",
        "Anti-Money-Laundering and Know-Your-Customer Policy",
        _aml(),
        company=COMPANY,
        subtitle="Policy POL-017, version 4.1, in force since 3 March 2025. Owner: Denise Campos Leal, Chief Risk Officer",
    )
    docx(
        policies / "politica-limites-credito-2025.docx",
        "Política de Limites de Crédito",
        _credit_2025(),
        company=COMPANY,
        subtitle="POL-022, versão 6.0, em vigor desde 1º de julho de 2025. Substitui a versão 5.2, de 2023",
        lang="pt",
    )
    docx(
        policies / "politica-limites-credito-2023.docx",
        "Política de Limites de Crédito",
        _credit_2023(),
        company=COMPANY,
        subtitle="POL-022, versão 5.2, em vigor desde 15 de maio de 2023",
        lang="pt",
    )
    docx(
        policies / "remote-work-policy.docx",
        "Remote Work Policy",
        _remote_work(),
        company=COMPANY,
        subtitle="Policy POL-031, version 2.0, in force since 1 September 2025",
    )
    docx(
        policies / "politica-reembolso-despesas.docx",
        "Política de Reembolso de Despesas",
        _expenses(),
        company=COMPANY,
        subtitle="POL-009, versão 3.3, em vigor desde 2 de janeiro de 2026",
        lang="pt",
    )
    docx(
        folder / "board/ata-conselho-2025-10.docx",
        "Ata da 187ª Reunião do Conselho de Administração",
        _minutes(),
        company=COMPANY,
        subtitle="Realizada em 21 de outubro de 2025, às 9h, em São Paulo. Documento restrito",
        lang="pt",
    )


def _aml() -> list[Block]:
    return [
        Heading("1 Purpose and scope"),
        Paragraph(
            "This policy sets the minimum rules by which Banco Aurora knows its customers and prevents its products from being used to launder money or finance terrorism. It applies to every employee, correspondent and service provider, in every channel."
        ),
        Heading("2 Customer due diligence"),
        Paragraph(
            "No account is opened before the customer's identity, address and source of income have been verified. For companies, every beneficial owner with 25% or more of the capital must be identified down to the natural person; for trusts and foundations, every person who controls them."
        ),
        Table(
            ("Risk class", "Typical customers", "Review every", "Approval"),
            (
                ("Low", "Salary accounts, retirees", "5 years", "Branch"),
                (
                    "Medium",
                    "Self-employed, companies up to R$ 4.8 million a year",
                    "2 years",
                    "Branch manager",
                ),
                (
                    "High",
                    "Cash-intensive businesses, non-residents",
                    "12 months",
                    "Compliance desk",
                ),
                (
                    "Very high",
                    "Politically exposed persons, crypto-asset brokers",
                    "6 months",
                    "AML committee",
                ),
            ),
            "Customer risk classes",
        ),
        Heading("3 Politically exposed persons"),
        Paragraph(
            "A customer keeps the status of politically exposed person for five years after leaving office. The status extends to parents, children, spouses and close associates. Relationships begin only after written approval of the AML committee, which meets every Thursday."
        ),
        Heading("4 Monitoring and reporting"),
        Paragraph(
            "Alerts are produced every night. An analyst must open each alert within three business days and close or escalate it within 30 days. When the committee decides to report, the communication is sent to the financial intelligence unit by the next business day, and the customer must never be told."
        ),
        Bullets(
            (
                "Cash deposits, withdrawals or requests to provision cash of R$ 50,000 or more are reported automatically.",
                "Branches ask for a provision of cash at least three business days ahead.",
                "Records are kept for ten years after the relationship ends.",
            )
        ),
        Heading("5 Training"),
        Paragraph(
            "Every employee completes the AML course within 30 days of joining and repeats it every 12 months. Access to the core system is suspended for employees who are more than 15 days late."
        ),
        Heading("6 Contacts"),
        Paragraph(
            "Questions go to the compliance desk, extension 4410. The officer responsible towards the regulator is Denise Campos Leal; her deputy is Tiago Fonseca."
        ),
    ]


def _credit_table(rows: tuple[tuple[str, str, str], ...]) -> Table:
    return Table(("Alçada", "Limite por cliente", "Prazo máximo"), rows, "Alçadas de aprovação")


def _credit_2025() -> list[Block]:
    return [
        Heading("1 Objetivo"),
        Paragraph(
            "Esta política define quem pode aprovar operações de crédito, até que valor e em que condições. Vale para todas as agências, para a mesa de crédito e para os canais digitais."
        ),
        Heading("2 Alçadas"),
        _credit_table(
            (
                ("Gerente de agência", "R$ 180.000", "60 meses"),
                ("Gerente regional", "R$ 650.000", "84 meses"),
                ("Mesa de crédito", "R$ 4.000.000", "120 meses"),
                ("Comitê de crédito", "R$ 25.000.000", "180 meses"),
                ("Conselho de Administração", "acima de R$ 25.000.000", "caso a caso"),
            )
        ),
        Paragraph(
            "O limite considera a soma de todas as operações do grupo econômico. Duas assinaturas são exigidas em todas as alçadas a partir da regional."
        ),
        Heading("3 Comprometimento de renda"),
        Paragraph(
            "A soma das parcelas de um cliente pessoa física não pode passar de 35% da renda líquida comprovada. Para crédito consignado, a margem consignável segue a lei do convênio e é verificada a cada contratação."
        ),
        Heading("4 Crédito imobiliário"),
        Paragraph(
            "O financiamento não pode exceder 80% do valor de avaliação do imóvel, e o laudo vale por 180 dias. Imóveis comerciais são limitados a 65%. A avaliação é feita por empresa credenciada, escolhida por sorteio."
        ),
        Heading("5 Vedações"),
        Bullets(
            (
                "Renovar uma operação com parcelas vencidas há mais de 60 dias sem parecer da mesa de crédito.",
                "Conceder crédito a parentes de até segundo grau do aprovador.",
                "Aceitar como garantia criptoativos ou ações de emissão do próprio banco.",
            )
        ),
        Heading("6 Exceções"),
        Paragraph(
            "Exceções são registradas no sistema Prisma, com justificativa, e valem por 90 dias. O comitê de crédito recebe a lista todo mês; mais de três exceções na mesma agência em um trimestre suspendem a alçada do gerente."
        ),
    ]


def _credit_2023() -> list[Block]:
    return [
        Heading("1 Objetivo"),
        Paragraph(
            "Esta política define quem pode aprovar operações de crédito, até que valor e em que condições. Vale para todas as agências e para a mesa de crédito."
        ),
        Heading("2 Alçadas"),
        _credit_table(
            (
                ("Gerente de agência", "R$ 120.000", "48 meses"),
                ("Gerente regional", "R$ 500.000", "72 meses"),
                ("Mesa de crédito", "R$ 3.000.000", "120 meses"),
                ("Comitê de crédito", "R$ 20.000.000", "180 meses"),
                ("Conselho de Administração", "acima de R$ 20.000.000", "caso a caso"),
            )
        ),
        Heading("3 Comprometimento de renda"),
        Paragraph(
            "A soma das parcelas de um cliente pessoa física não pode passar de 30% da renda líquida comprovada."
        ),
        Heading("4 Crédito imobiliário"),
        Paragraph(
            "O financiamento não pode exceder 75% do valor de avaliação do imóvel, e o laudo vale por 120 dias. Imóveis comerciais são limitados a 60%."
        ),
        Heading("5 Vedações"),
        Bullets(
            (
                "Renovar uma operação com parcelas vencidas há mais de 30 dias.",
                "Conceder crédito a parentes de até segundo grau do aprovador.",
            )
        ),
    ]


def _remote_work() -> list[Block]:
    return [
        Heading("1 Who may work remotely"),
        Paragraph(
            "Employees of headquarters and of the service centre may work remotely after their 90-day probation. Branch employees, cash operations and the trading desk work on site; for the trading desk the regulator requires recorded lines."
        ),
        Heading("2 How many days"),
        Paragraph(
            "Eligible employees may work from home up to three days a week. Tuesday is an office day for everyone. Teams choose the second office day together and register it in the people portal."
        ),
        Heading("3 Equipment and allowance"),
        Paragraph(
            "The bank lends a notebook, a headset and, on request, a monitor. An allowance of R$ 140 a month covers electricity and internet; it is paid with the salary and is not taxed. Chairs may be bought once every four years, up to R$ 900, through the supplier portal."
        ),
        Heading("4 Security"),
        Bullets(
            (
                "Customer data may be opened only through the bank's VPN and never printed at home.",
                "Screens lock after five minutes; notebooks are never left in a car.",
                "Loss of a device is reported to extension 4000 within one hour.",
                "Calls about customers are made where nobody else can listen.",
            )
        ),
        Heading("5 Working abroad"),
        Paragraph(
            "Work from outside Brazil is limited to 20 calendar days a year, must be approved by the area's director 30 days ahead, and is not possible from countries without a data-protection agreement."
        ),
        Heading("6 Exceptions"),
        Paragraph(
            "Pregnant employees, and employees who care for a child under four or for a person with a disability, may ask for up to five remote days a week. People & Culture answers within ten business days."
        ),
    ]


def _expenses() -> list[Block]:
    return [
        Heading("1 Regras gerais"),
        Paragraph(
            "O banco reembolsa despesas feitas a serviço, mediante nota fiscal em nome do colaborador ou do banco. O pedido é lançado no sistema Viajante em até 15 dias corridos após o retorno; depois disso, só com aprovação do diretor da área."
        ),
        Heading("2 Limites de viagem"),
        Table(
            ("Despesa", "Capitais", "Demais cidades"),
            (
                ("Hospedagem por noite", "R$ 420", "R$ 310"),
                ("Refeições por dia", "R$ 135", "R$ 105"),
                ("Quilômetro rodado em carro próprio", "R$ 1,35", "R$ 1,35"),
                ("Lavanderia (a partir do 5º dia)", "R$ 60", "R$ 60"),
            ),
            "Limites por pessoa",
        ),
        Heading("3 Passagens"),
        Paragraph(
            "Passagens aéreas são compradas pela agência contratada com pelo menos 12 dias de antecedência, em classe econômica. Voos com mais de seis horas podem ser em classe executiva apenas para diretores."
        ),
        Heading("4 O que não é reembolsado"),
        Bullets(
            (
                "Bebidas alcoólicas, frigobar e entretenimento.",
                "Multas de trânsito e estacionamento em local proibido.",
                "Refeições com clientes acima de R$ 220 por pessoa, salvo aprovação prévia.",
            )
        ),
        Heading("5 Aprovação e pagamento"),
        Paragraph(
            "O gestor imediato aprova até R$ 2.500 por relatório; acima disso, aprova também o diretor. O reembolso é creditado na conta-salário toda sexta-feira para relatórios aprovados até a quarta-feira anterior."
        ),
    ]


def _minutes() -> list[Block]:
    return [
        Heading("1 Presenças"),
        Paragraph(
            "Presentes os conselheiros Otávio Brandão (presidente), Regina Sampaio, Paulo Nakamura, Lúcia Bittencourt, Henrique Salles e outros quatro. Convidados: Helena Vasconcelos Prado, Marcelo Tavares Rocha e, no item 3, a analista de tesouraria Ana Souza."
        ),
        Heading("2 Aquisição da Financeira Ipê"),
        Paragraph(
            "Marcelo Tavares Rocha apresentou a proposta de compra de 100% da Financeira Ipê por até R$ 415 milhões, dos quais R$ 90 milhões condicionados à inadimplência dos primeiros dois anos. O Conselho autorizou, por oito votos a um, a entrega de oferta não vinculante até 14 de novembro de 2025. O projeto usará o codinome Jequitibá."
        ),
        Heading("3 Captação"),
        Paragraph(
            "Ana Souza apresentou três alternativas para captar R$ 1,5 bilhão em 2026. O Conselho preferiu a emissão de letras financeiras em duas séries, de dois e quatro anos, ao custo máximo de 106% do CDI, e pediu nova análise da linha com o banco de desenvolvimento."
        ),
        Heading("4 Encerramento de agências"),
        Paragraph(
            "Foi aprovada a lista de seis agências a encerrar até junho de 2026: 033, 058, 071, 096, 112 e 140. A comunicação aos colaboradores será feita pela diretora Sílvia Andrade Nunes em 12 de janeiro de 2026; até lá, a lista é confidencial."
        ),
        Heading("5 Próxima reunião"),
        Paragraph("A 188ª reunião será realizada em 18 de novembro de 2025, às 9h."),
    ]
