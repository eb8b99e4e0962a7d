"""Comparing words across English and Portuguese: a small glossary, and cognates for the rest.

`concepts` maps stems of either language to common keys, so that `compressor bearings` and
`mancais do compressor` meet. It is meant for texts of different languages only: within one
language stems are stricter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from assistant.text.words import fold, stem

_PAIRS = """
account: conta | agreement: acordo | allowed permitted: permitido permite | annual yearly: anual |
answer: resposta | appointment: consulta agendamento | approve approval: aprovar aprovacao |
asset: ativo | bank: banco | bearing: mancal mancais rolamento | bed: leito cama | bill: fatura |
blood: sangue | board: conselho | bolt: parafuso parafusos | branch: agencia filial | break: pausa |
bring: trazer traz | buy purchase: compra comprar | calendar: corridos corrido calendario |
call: ligar ligo ligacao | cash: dinheiro caixa | chair chairs: preside presidente |
change: troca trocar trocada mudar mudanca | charge: cobrar cobra tarifa |
child children: crianca criancas | claim: sinistro pedido reclamacao |
clean cleaning: limpar limpeza | close: fechar fechamento | company: empresa |
compressor: compressor | confined: confinado confinada | consumer: consumidor | cost: custo custa |
counterparty: contraparte | credit: credito | customer client: cliente | daily: diario diaria |
damage damaged: dano danificado | deadline: prazo | death: morte obito | debt: divida |
delay delayed: atraso atrasado atrasada | delivery deliver: entrega entregar | deposit: deposito |
director: diretor | discharge: alta | discount: desconto | dispute: contestar contestacao |
dividend: dividendo | doctor physician: medico medica | door: porta | dose: dose |
drawing: desenho | drill: furadeira | employee staff: funcionario colaborador empregado |
employ: empregar | enter entering entry: entrar entra entrada | equipment: equipamento |
exam: exame | exchange: troca trocar | expense: despesa |
expire expiry: expirar expiram vencer vencimento validade | factory plant: fabrica |
failure: falha | fee: tarifa taxa | fine: multa | fire: incendio fogo | floor: andar piso |
forbidden prohibited: proibido proibida | forget: esquecer esquecida |
fridge refrigerator: geladeira | goods: mercadoria | grease: graxa | gross: bruto bruta |
guarantee warranty: garantia | hand: mao | heater: aquecedor | height: altura | hire: contratar |
holiday vacation: ferias feriado | home: casa | hospital: hospital | hour: hora | house: casa |
income profit: lucro | increase: aumento | insurance: seguro | interest: juros |
invoice: nota fatura | key: chave | lamp: luminaria lampada | law: lei | leak: vazamento |
lease: locacao aluguel | leave: licenca | level: nivel | limit: limite | list: lista |
loan: emprestimo credito | lock: bloqueio travar | loss: prejuizo perda | machine: maquina |
maintenance: manutencao | manager: gerente | margin: margem | mask: mascara | maximum: maximo |
medicine drug: medicamento remedio | meeting: reuniao | member: membro | midpoint: medio |
minimum: minimo | minute: minuto | money: dinheiro | month: mes | monthly: mensal |
mortgage: hipoteca | motor engine: motor | nail: unha | net: liquido | night: noite |
notice: aviso | number: numero | nurse: enfermeiro enfermeira | offer: oferta oferecer |
office: escritorio | oil: oleo | open opening: abrir abre aberto abertura | order: pedido ordem |
overtime: extra | owner: responsavel dono | padlock: cadeado | paint: tinta | paper: papel |
password: senha | patient: paciente | pay payment: pagar pagamento | penalty: multa |
people person: pessoa | pharmacy: farmacia | phone telephone: telefone | pick: retirar retira |
point: ponto | policy: politica | power: potencia | press: prensa | pressure: pressao |
price: preco | private: particular | procurement purchasing: compras | product: produto |
provisional: provisorio | pump: bomba | quarter: trimestre | question: pergunta |
quotation quote: cotacao orcamento | raise: aumento | rate: taxa | ratio: indice | reach: chegar |
receipt: recibo nota comprovante | refund: reembolso devolucao estorno |
reimburse reimbursement: reembolsar reembolsa reembolso | remote: remoto | repair: reparo conserto |
report: relatorio | request: pedido solicitacao | responsible: responsavel |
return: devolucao devolver | revenue: receita | risk: risco | room: sala quarto | safe: cofre |
safety: seguranca | salary wage: salario | sale sell: venda vender | sample: amostra |
saturday: sabado | seal: selo | sheet: folha | shift: turno | shop store: loja | shutdown: parada |
sick: doente | signature: assinatura | site: site | size: tamanho | spare: reserva |
speed: velocidade rotacao | stock inventory: estoque | stroke: avc | supplier vendor: fornecedor |
supply: alimentacao | surgery: cirurgia | tax: imposto tributo | team: equipe | teller: caixa |
tighten: apertar aperto | time: tempo | tool: ferramenta | torque: torque |
training: treinamento curso | transaction: transacao | travel trip: viagem | treatment: tratamento |
unit: unidade | unused: uso | valid: valido vale validade | value amount: valor | valve: valvula |
vendor: fornecedor | visitor: visitante visita | wait: aguardar esperar espere | ward: enfermaria |
warehouse: deposito armazem | waste: residuo | water: agua | wear: usar | week: semana |
weight: peso | withdraw withdrawal: saque sacar | work: trabalhar trabalho | worker: trabalhador |
year: ano | yield: rendimento | day: dia | pickup: retirada retirar |
hold keep held: guardar guarda guardado | working business: uteis util | code: codigo |
contract: contrato | contractor: contratado terceirizado | swap: trocar trocada | turn: trocar
"""


def _keys() -> dict[str, frozenset[str]]:
    """Map every stem of the glossary to the entries it stands in."""
    keys: dict[str, set[str]] = {}
    for number, entry in enumerate(" ".join(_PAIRS.split()).split("|")):
        for word in entry.replace(":", " ").split():
            keys.setdefault(stem(fold(word)), set()).add(f"#{number}")
    return {word: frozenset(numbers) for word, numbers in keys.items()}


_SPELLINGS = (
    (re.compile(r"ph"), "f"),
    (re.compile(r"th"), "t"),
    (re.compile(r"ch|ck|k|qu"), "c"),
    (re.compile(r"y"), "i"),
    (re.compile(r"(.)\1"), r"\1"),
    (re.compile(r"^(?:es)(?=[cpt])"), "s"),
)
_COGNATE_LETTERS = 6
_LEAST_LETTERS = 4


@lru_cache(maxsize=65_536)
def concepts_of(word: str) -> frozenset[str]:
    """Return the keys of one stem: its glossary entries, else its spelling as a cognate."""
    if found := _GLOSSARY.get(word):
        return found
    if any(c.isdigit() for c in word) or len(word) < _LEAST_LETTERS:
        return frozenset({word})
    for pattern, letters in _SPELLINGS:
        word = pattern.sub(letters, word)
    return frozenset({word[:_COGNATE_LETTERS]})


def concepts(stems: Iterable[str]) -> frozenset[str]:
    """Return the keys of several stems."""
    return frozenset(key for word in stems for key in concepts_of(word))


_GLOSSARY = _keys()
