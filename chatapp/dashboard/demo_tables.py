"""Made-up calls on their way to the ledger: what is different each time, put together with its shape.

The database does this itself, which is much quicker than to send it each row.
"""
# ruff: noqa: S608 - only our own names

from chatapp.dashboard.demo_shapes import CHARGE, KINDS, LINE
from chatapp.ledger.daily import SUMS

CALL = (
    *("id", "uuid", "reference", "user_id", "team_id", "conversation", "project", "purpose"),
    *("authorized_at", "day", "started_at", "settled_at"),
)


def _of(table: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"{table}.{name}" for name in names)


SCRATCH = {
    "demo_call": f"SELECT {_of('c', CALL)}, id AS shape, id AS line FROM ledger_charge c",
    "demo_shape": f"SELECT c.id, {_of('c', CHARGE)}, {_of('d', KINDS)} "
    "FROM ledger_charge c, ledger_dailytotal d",
    "demo_line": f"SELECT l.id AS shape, l.id AS place, {_of('l', LINE)} FROM ledger_chargeline l",
}
SUMMED = {
    "calls": "1",
    "amount_pusd": "COALESCE(s.amount_pusd, 0)",
    "held_pusd": "CASE WHEN s.amount_pusd IS NULL THEN s.held_pusd ELSE 0 END",
} | {name: f"s.{name}" for name in KINDS}
# And the source, which is the same for all.
TOTAL_KEY = "c.day, c.user_id, c.team_id, s.model, c.purpose, s.status"
# From a day's calls to the ledger, done by the database itself; %s is the source.
INTO_LEDGER = (
    f"""INSERT INTO ledger_charge ({", ".join((*CALL, *CHARGE))}, source, request_id, message_id)
    SELECT {_of("c", CALL)}, {_of("s", CHARGE)}, %s, 'req_demo' || c.id,
        CASE WHEN s.served_model = '' THEN '' ELSE 'msg_demo' || c.id END
    FROM demo_call c JOIN demo_shape s ON s.id = c.shape""",
    f"""INSERT INTO ledger_chargeline (id, charge_id, recorded_at, {", ".join(LINE)})
    SELECT c.line + l.place, c.id, c.settled_at, {_of("l", LINE)}
    FROM demo_call c JOIN demo_line l ON l.shape = c.shape""",
    f"""INSERT INTO ledger_dailytotal
        (day, user_id, team_id, model, purpose, status, source, {", ".join(SUMMED)})
    SELECT {TOTAL_KEY}, %s, {", ".join(f"SUM({what})" for what in SUMMED.values())}
    FROM demo_call c JOIN demo_shape s ON s.id = c.shape GROUP BY {TOTAL_KEY}
    ON CONFLICT (day, source, user_id, COALESCE(team_id, 0), model, purpose, status)
    DO UPDATE SET {", ".join(f"{n} = ledger_dailytotal.{n} + excluded.{n}" for n in SUMS)}""",
)
