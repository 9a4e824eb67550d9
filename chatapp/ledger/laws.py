"""What must hold of the stored ledger, each as SQL that finds the charges for which it does not.

Every statement reads all calls at once, and selects the id of a charge (or what else names the
break). `sums` is a table made of sums.LINES.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from chatapp.ledger import daily, rolling, sums
from chatapp.ledger.choices import PROMPT, TOKENS
from chatapp.ledger.rollups import Grain

PROMPT_KINDS = ", ".join(f"'{kind}'" for kind in PROMPT)
# What one of each kind costs, tier by tier.
PRICES = " UNION ALL ".join(
    f"SELECT version_id, \"over\", '{kind}' AS kind, {kind} AS unit FROM pricing_pricetier"  # noqa: S608
    for kind in TOKENS
)
PRICES += " UNION ALL SELECT id, 0, 'web_search', web_search_pusd FROM pricing_priceversion"

# Of two prices of one thing that have begun, `w` is the one that holds.
LATER = "(w.valid_from, w.recorded_at, w.id) > (v.valid_from, v.recorded_at, v.id)"


@dataclass(frozen=True)
class Law:
    """`broken` selects what breaks it."""

    name: str
    meaning: str
    broken: str


def _unequal(stored: str, key: Sequence[str], columns: Sequence[str], counted: str) -> str:
    """The day of every row that is not the sum of what `counted` has of its key, or is missing."""
    back = ", ".join(f"-{name} AS {name}" for name in columns)
    rest = " OR ".join(f"SUM({name}) <> 0" for name in columns)
    return f"""SELECT day FROM (SELECT {", ".join(key)}, {back} FROM {stored}
        UNION ALL {counted}) weighed GROUP BY {", ".join(key)} HAVING {rest}"""  # noqa: S608


# Those that read `sums`.
SUMMED = [
    Law(
        "lines_add_up",
        "The lines of a charge add up to its amount.",
        """SELECT c.id FROM ledger_charge c LEFT JOIN sums s ON s.charge_id = c.id
        WHERE COALESCE(c.amount_pusd, 0) <> COALESCE(s.amount_pusd, 0)""",
    ),
    Law(
        "tokens_add_up",
        "The lines of a charge add up to its tokens.",
        """SELECT c.id FROM ledger_charge c JOIN sums s ON s.charge_id = c.id
        WHERE c.amount_pusd IS NOT NULL AND (
            c.tokens_in IS NULL OR c.tokens_out IS NULL OR c.tokens_out <> s.output_tokens
            OR c.tokens_in <> s.input_tokens + s.cache_write_5m_tokens
                + s.cache_write_1h_tokens + s.cache_read_tokens)""",
    ),
    Law(
        "daily_totals_equal_rows",
        "Daily totals are the sums of captured charges (rebuild_daily_totals writes them anew).",
        _unequal("ledger_dailytotal", daily.KEY, daily.SUMS, sums.counted("sums")),
    ),
    Law(
        "states_are_whole",
        "Only captured charges have an amount or lines; only waiting ones have no amount.",
        """SELECT c.id FROM ledger_charge c LEFT JOIN sums s ON s.charge_id = c.id
        WHERE c.state NOT IN ('authorized', 'captured', 'voided') OR c.held_pusd < 0
        OR (c.state = 'authorized') <> (c.settled_at IS NULL)
        OR (c.state = 'captured') <> (c.status <> '')
        OR (c.state = 'captured' AND c.status NOT IN ('exact', 'estimated', 'unpriced', 'unknown'))
        OR (c.status IN ('exact', 'estimated')) <> (c.amount_pusd IS NOT NULL)
        OR (c.state <> 'captured' AND s.written > 0)
        OR c.amount_pusd < 0 OR (c.status = 'estimated'
            AND NOT (c.low_pusd <= c.amount_pusd AND c.amount_pusd <= c.high_pusd))""",
    ),
]

# Those that need nothing, the longest first.
PLAIN = [
    Law(
        "rollups_equal_totals",
        "Rollups equal the sums of the daily totals; examples are days.",
        " UNION ALL ".join(
            _unequal(
                f"ledger_rollup WHERE grain = '{grain}'",
                rolling.KEY,
                rolling.SUMS,
                rolling.finer(grain, connection.vendor),
            )
            for grain in Grain
        ),
    ),
    Law(
        "lines_multiply",
        "Quantity x unit price x multiplier is the amount of a line, without a rest.",
        """SELECT charge_id FROM ledger_chargeline
        WHERE CAST(unit_price_pusd AS numeric) * multiplier_bp % 10000 <> 0
        OR amount_pusd <> CAST(unit_price_pusd AS numeric) * multiplier_bp / 10000 * quantity
        OR (quantity <= 0 AND reverses_id IS NULL)""",
    ),
    Law(
        "taken_back_exactly",
        "A line that takes another back is the same with its sign changed, of an adjustment.",
        """SELECT r.charge_id FROM ledger_chargeline r
        JOIN ledger_chargeline o ON o.id = r.reverses_id
        WHERE r.charge_id <> o.charge_id OR r.adjustment_id IS NULL OR r.kind <> o.kind
        OR r.quantity <> -o.quantity OR r.amount_pusd <> -o.amount_pusd OR r.model <> o.model
        OR r.segment <> o.segment OR o.reverses_id IS NOT NULL""",
    ),
    Law(
        "price_version_reproduces",
        "The price version of a line gives its unit price and its multiplier.",
        f"""WITH prompts AS (
            SELECT charge_id, COALESCE(adjustment_id, 0) AS written, segment,
                SUM(CASE WHEN kind IN ({PROMPT_KINDS}) THEN quantity ELSE 0 END) AS prompt
            FROM ledger_chargeline WHERE reverses_id IS NULL AND price_version_id IN (
                SELECT version_id FROM pricing_pricetier WHERE "over" > 0)
            GROUP BY charge_id, COALESCE(adjustment_id, 0), segment),
        prices AS ({PRICES}),
        rates AS (
            SELECT p.*, COALESCE(v.batch_bp, 10000) AS batch, COALESCE(v.geo_us_bp, 10000) AS geo,
                LEAD(p."over") OVER (PARTITION BY p.version_id, p.kind ORDER BY p."over") AS upto
            FROM prices p JOIN pricing_priceversion v ON v.id = p.version_id WHERE v.available)
        SELECT l.charge_id FROM ledger_chargeline l
        LEFT JOIN prompts p ON p.charge_id = l.charge_id AND p.segment = l.segment
            AND p.written = COALESCE(l.adjustment_id, 0)
        LEFT JOIN rates r ON r.version_id = l.price_version_id AND r.kind = l.kind
            AND r.unit = l.unit_price_pusd
            AND (r."over" = 0 OR p.prompt > r."over")
            AND (p.prompt IS NULL OR r.upto IS NULL OR p.prompt <= r.upto)
            AND l.multiplier_bp IN (0, 10000, r.batch, r.geo, r.batch * r.geo / 10000)
        WHERE l.reverses_id IS NULL AND l.kind <> 'counter'
        AND (r.version_id IS NULL OR l.counter_price_id IS NOT NULL)
        UNION ALL SELECT l.charge_id FROM ledger_chargeline l
        LEFT JOIN pricing_counterprice n ON n.id = l.counter_price_id
            AND n.unit_price_pusd = l.unit_price_pusd
        WHERE l.reverses_id IS NULL AND l.kind = 'counter' AND (n.id IS NULL
            OR l.price_version_id IS NOT NULL OR l.multiplier_bp <> 10000)""",  # noqa: S608
    ),
    Law(
        "price_version_was_in_force",
        "No other version that was known when a line was written had taken its version's place.",
        f"""WITH rivals AS (SELECT v.id AS version_id, w.* FROM pricing_priceversion v
            JOIN pricing_priceversion w ON w.model_id = v.model_id AND w.speed = v.speed
                AND {LATER}),
        counters AS (SELECT v.id AS price_id, w.* FROM pricing_counterprice v
            JOIN pricing_counterprice w ON w.counter = v.counter AND {LATER})
        SELECT l.charge_id FROM ledger_chargeline l
        JOIN ledger_charge c ON c.id = l.charge_id
        JOIN pricing_priceversion v ON v.id = l.price_version_id
        LEFT JOIN rivals w ON w.version_id = v.id
            AND w.valid_from <= c.authorized_at AND w.recorded_at <= l.recorded_at
            AND (w.cancelled_at IS NULL OR w.cancelled_at > l.recorded_at)
        WHERE l.reverses_id IS NULL AND (w.id IS NOT NULL OR v.valid_from > c.authorized_at)
        UNION ALL SELECT l.charge_id FROM ledger_chargeline l
        JOIN ledger_charge c ON c.id = l.charge_id
        JOIN pricing_counterprice v ON v.id = l.counter_price_id
        LEFT JOIN counters w ON w.price_id = v.id
            AND w.valid_from <= c.authorized_at AND w.recorded_at <= l.recorded_at
        WHERE l.reverses_id IS NULL AND (w.id IS NOT NULL OR v.valid_from > c.authorized_at)""",  # noqa: S608
    ),
    Law(
        "settled_once",
        "An attempt has one charge, and late evidence counts once.",
        """SELECT MIN(id) FROM ledger_charge GROUP BY reference, attempt HAVING COUNT(*) > 1
        UNION ALL SELECT charge_id FROM ledger_adjustment WHERE reason = 'late_evidence'
        GROUP BY charge_id HAVING COUNT(*) > 1""",
    ),
    Law(
        "adjustments_follow_on",
        "Each adjustment starts where the one before ended, and the last is what the charge says.",
        """SELECT charge_id FROM (
            SELECT a.charge_id, a.status_after, a.amount_after_pusd,
                COALESCE(LEAD(a.status_before) OVER (PARTITION BY a.charge_id ORDER BY a.id),
                    c.status) AS next_status,
                CASE WHEN LEAD(a.id) OVER (PARTITION BY a.charge_id ORDER BY a.id) IS NULL
                    THEN c.amount_pusd
                    ELSE LEAD(a.amount_before_pusd) OVER (PARTITION BY a.charge_id ORDER BY a.id)
                END AS next_amount
            FROM ledger_adjustment a JOIN ledger_charge c ON c.id = a.charge_id) followed
        WHERE status_after <> next_status OR COALESCE(amount_after_pusd, -1)
            <> COALESCE(next_amount, -1)""",
    ),
    Law(
        "no_orphans",
        "Lines and adjustments belong to a charge, and a line's adjustment to the same one.",
        """SELECT l.charge_id FROM ledger_chargeline l
        LEFT JOIN ledger_charge c ON c.id = l.charge_id
        LEFT JOIN ledger_adjustment a ON a.id = l.adjustment_id
        WHERE c.id IS NULL OR (l.adjustment_id IS NOT NULL
            AND (a.id IS NULL OR a.charge_id <> l.charge_id))
        UNION ALL SELECT a.charge_id FROM ledger_adjustment a
        LEFT JOIN ledger_charge c ON c.id = a.charge_id WHERE c.id IS NULL
        UNION ALL SELECT c.id FROM ledger_charge c
        LEFT JOIN accounts_user u ON u.id = c.user_id WHERE u.id IS NULL""",
    ),
    Law(
        "holds_are_let_go",
        "No charge has been open for longer than any call can last.",
        "SELECT id FROM ledger_charge WHERE state = 'authorized' AND authorized_at < %s",
    ),
]
