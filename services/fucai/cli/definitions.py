"""What figures of the ledger, the auditor and the registry mean, in short; docs/definitions.md has all of it."""

from __future__ import annotations

from fucai.cli.out.sheet import Definition
from fucai.domain.labels import Label

MISSING = Definition(
    "missing",
    Label(
        "缺失：终端已知最大序号以下，既未入库、未核销、也未隔离的序号；时长自收到其后第一个序号起算",
        "Missing: numbers below the highest known one of a terminal that are neither stored, waived nor in quarantine; "
        "their age counts from the receipt of the first higher number",
    ),
)
SILENCE = Definition(
    "silence",
    Label(
        "静默：已绑定营业网点的终端在若干开市时间内未送达任何事件；登记表能说明原因的为预期之内",
        "Silence: a terminal bound to an open outlet from which nothing came for some open time; expected where the "
        "registry says why",
    ),
)
QUARANTINE = Definition(
    "quarantine",
    Label(
        "隔离：已送达、因故不计入任何数字的事件，每个序号一次；入库或核销后离开",
        "Quarantine: events that came and stand in no figure for a reason, each number once; they leave it by being "
        "stored or waived",
    ),
)
CONSERVATION = Definition(
    "conservation",
    Label(
        "守恒：已接收 = 已入库 + 重复 + 隔离 + 在途，按事件计；封存期次不计",
        "Conservation: received = stored + duplicate + quarantined + in flight, in events; sealed draws are left out",
    ),
)
RECONCILIATION = Definition(
    "reconciliation",
    Label(
        "对账：营业日、终端、游戏、类型的三方账：终端日结、审计程序对 Kafka 的清点、ClickHouse",
        "Reconciliation: three accounts of a business day, terminal, game and kind: the terminal's close, the "
        "auditor's recount of Kafka, ClickHouse",
    ),
)
ROOT = Definition(
    "root",
    Label(
        "根哈希：营业日内各终端摘要（按终端、纪元、序号）与前一日根哈希的 SHA-256",
        "Root: SHA-256 of a business day, over the terminals' digests in the order of terminal, epoch and number, and "
        "over the day before's root",
    ),
)
SEAL = Definition(
    "seal",
    Label(
        "封存：自预定停售或提前封存起至开奖，含该期的数字一律不显示（彩票管理条例第二十二条）",
        "Seal: from a draw's scheduled close, or an earlier act, to its end nobody is shown figures that contain it "
        "(彩票管理条例 art. 22)",
    ),
)
