"""A terminal that sells, chains its events and signs statements, as an agent does; for tests that look behind it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fucai.domain.calendar import business_day
from fucai.domain.chain import chain_next, chain_start, content_digest, event_bytes
from fucai.runtime.signing import public_bytes, sign_statement
from fucai.v1 import sales_pb2, statement_pb2

ZONE = ZoneInfo("Asia/Shanghai")
NOON_MS = 1_760_000_000_000
DAY = business_day(NOON_MS, ZONE)
STATED_MS = NOON_MS + 9_000_000


class Till:
    """One terminal and epoch: its events, its digest, its statements."""

    def __init__(
        self, terminal: str, epoch: int = 7, key: Ed25519PrivateKey | None = None, previous: bytes = b""
    ) -> None:
        self.terminal, self.epoch = terminal, epoch
        self.key = key or Ed25519PrivateKey.generate()
        self.digest = chain_start(terminal, epoch)
        self.events: list[sales_pb2.SalesEvent] = []
        self.statements = 0
        self.closes = 0
        self.closed_through = 0
        self.previous = previous

    @property
    def public_key(self) -> str:
        """As the registry has it."""
        return public_bytes(self.key).hex()

    def sell(self, count: int, *, day: int = 0, game: str = "3d", draw: str = "2025280") -> sales_pb2.SalesBatch:
        """Record so many sales, `day` days after the first, and return them as a collector writes them."""
        made = []
        for _ in range(count):
            seq = len(self.events) + 1
            event = sales_pb2.SalesEvent(
                seq=seq,
                kind=sales_pb2.EVENT_KIND_SALE,
                game=game,
                draw_no=draw,
                amount_fen=200 * (seq % 7 + 1),
                bets=seq % 7 + 1,
                sold_at_ms=NOON_MS + day * 86_400_000 + seq * 1_000,
            )
            self.events.append(event)
            self.digest = chain_next(self.digest, event_bytes(event))
            made.append(event)
        return self.batch(made, self.digest)

    def batch(self, events: Iterable[sales_pb2.SalesEvent], digest: bytes = b"") -> sales_pb2.SalesBatch:
        """Events as a collector writes them."""
        return sales_pb2.SalesBatch(
            terminal_id=self.terminal,
            outlet_id=f"O-{self.terminal}",
            epoch=self.epoch,
            events=events,
            digest=digest,
            received_at_ms=NOON_MS + 500,
            collector_id="collector-0",
        )

    def opened(self, previous_epoch: int = 0, previous_last_seq: int = 0) -> statement_pb2.SignedStatement:
        """State that the epoch begins."""
        reason = statement_pb2.OPENING_REASON_REPLACED if previous_epoch else statement_pb2.OPENING_REASON_FIRST_START
        return self.state(
            opened=statement_pb2.EpochOpened(
                reason=reason, previous_epoch=previous_epoch, previous_last_seq=previous_last_seq
            )
        )

    def close(self, day: date = DAY) -> statement_pb2.SignedStatement:
        """Close a day: everything since the close before."""
        lines: dict[tuple[str, str, int], list[int]] = {}
        for event in self.events[self.closed_through :]:
            of_day = business_day(event.sold_at_ms, ZONE).isoformat()
            sums = lines.setdefault((of_day, event.game, event.kind), [0, 0, 0])
            sums[0] += 1
            sums[1] += event.bets
            sums[2] += event.amount_fen
        self.closes += 1
        close = statement_pb2.DayClose(
            business_day=day.isoformat(),
            close_no=self.closes,
            first_seq=self.closed_through + 1,
            last_seq=len(self.events),
            digest=self.digest,
        )
        for (of_day, game, kind), (events, bets, fen) in sorted(lines.items()):
            close.lines.add(
                business_day=of_day,
                game=game,
                kind=sales_pb2.EventKind.Name(kind),  # type: ignore[arg-type]  # names are taken, too
                events=events,
                bets=bets,
                amount_fen=fen,
            )
        self.closed_through = len(self.events)
        return self.state(close=close)

    def state(
        self,
        *,
        opened: statement_pb2.EpochOpened | None = None,
        close: statement_pb2.DayClose | None = None,
        damage: statement_pb2.OutboxDamage | None = None,
    ) -> statement_pb2.SignedStatement:
        """Sign the next statement."""
        self.statements += 1
        statement = statement_pb2.Statement(
            terminal_id=self.terminal,
            outlet_id=f"O-{self.terminal}",
            epoch=self.epoch,
            number=self.statements,
            previous=self.previous,
            stated_at_ms=STATED_MS + self.statements,
            opened=opened,
            close=close,
            damage=damage,
        )
        signed = sign_statement(self.key, statement)
        self.previous = content_digest(signed.content)
        return signed
