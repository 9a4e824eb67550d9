"""What must hold of the stored ledger, each as SQL that finds the charges for which it does not.

`sums` is a table made of sums.LINES. Every statement reads all calls at once, and selects the id
of a charge (or what else names the break).
"""

from dataclasses import dataclass

from django.db import connection

from chatapp.ledger import rolling
from chatapp.ledger.sums import COLUMNS, daily

# The way back is long, and not gone when there are as many rows as expected: no key stands twice.
UNEQUAL = """SELECT day FROM (SELECT * FROM expected EXCEPT SELECT * FROM stored) short
    UNION ALL SELECT day FROM (SELECT * FROM stored
        WHERE (SELECT COUNT(*) FROM stored) <> (SELECT COUNT(*) FROM expected)
        EXCEPT SELECT * FROM expected) beyond"""
PROMPT = "'input', 'cache_write_5m', 'cache_write_1h', 'cache_read'"


@dataclass(frozen=True)
class Law:
    """`broken` selects what breaks it."""

    name: str
    meaning: str
    broken: str


LAWS = [
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
                SUM(CASE WHEN kind IN ({PROMPT}) THEN quantity ELSE 0 END) AS prompt
            FROM ledger_chargeline WHERE reverses_id IS NULL AND price_version_id IN (
                SELECT version_id FROM pricing_pricetier WHERE "over" > 0)
            GROUP BY charge_id, COALESCE(adjustment_id, 0), segment)
        SELECT l.charge_id FROM ledger_chargeline l
        LEFT JOIN prompts p ON p.charge_id = l.charge_id AND p.segment = l.segment
            AND p.written = COALESCE(l.adjustment_id, 0)
        LEFT JOIN pricing_priceversion v ON v.id = l.price_version_id
        LEFT JOIN pricing_counterprice n ON n.id = l.counter_price_id
        LEFT JOIN pricing_pricetier t ON t.version_id = v.id AND t."over" = (
            SELECT MAX(x."over") FROM pricing_pricetier x
            WHERE x.version_id = v.id AND (x."over" = 0 OR x."over" < p.prompt))
        WHERE l.reverses_id IS NULL AND (l.kind = 'counter') <> (n.id IS NOT NULL)
        OR l.reverses_id IS NULL AND l.kind = 'counter' AND (v.id IS NOT NULL
            OR l.multiplier_bp <> 10000 OR l.unit_price_pusd <> n.unit_price_pusd)
        OR l.reverses_id IS NULL AND l.kind <> 'counter' AND (v.id IS NULL OR NOT v.available
            OR l.multiplier_bp NOT IN (0, 10000, COALESCE(v.batch_bp, 10000),
                COALESCE(v.geo_us_bp, 10000),
                COALESCE(v.batch_bp, 10000) * COALESCE(v.geo_us_bp, 10000) / 10000)
            OR l.unit_price_pusd <> CASE l.kind
                WHEN 'input' THEN t.input WHEN 'output' THEN t.output
                WHEN 'cache_write_5m' THEN t.cache_write_5m
                WHEN 'cache_write_1h' THEN t.cache_write_1h
                WHEN 'cache_read' THEN t.cache_read ELSE v.web_search_pusd END)""",  # noqa: S608
    ),
    Law(
        "price_version_was_in_force",
        "No other version that was known when a line was written had taken its version's place.",
        """SELECT l.charge_id FROM ledger_chargeline l
        JOIN ledger_charge c ON c.id = l.charge_id
        JOIN pricing_priceversion v ON v.id = l.price_version_id
        LEFT JOIN pricing_priceversion w ON w.model_id = v.model_id AND w.speed = v.speed
            AND (w.valid_from > v.valid_from OR (w.valid_from = v.valid_from
                AND (w.recorded_at > v.recorded_at
                    OR (w.recorded_at = v.recorded_at AND w.id > v.id))))
            AND w.valid_from <= c.authorized_at AND w.recorded_at <= l.recorded_at
            AND (w.cancelled_at IS NULL OR w.cancelled_at > l.recorded_at)
        WHERE l.reverses_id IS NULL AND (w.id IS NOT NULL OR v.valid_from > c.authorized_at)
        UNION ALL SELECT l.charge_id FROM ledger_chargeline l
        JOIN ledger_charge c ON c.id = l.charge_id
        JOIN pricing_counterprice v ON v.id = l.counter_price_id
        LEFT JOIN pricing_counterprice w ON w.counter = v.counter
            AND (w.valid_from > v.valid_from OR (w.valid_from = v.valid_from
                AND (w.recorded_at > v.recorded_at
                    OR (w.recorded_at = v.recorded_at AND w.id > v.id))))
            AND w.valid_from <= c.authorized_at AND w.recorded_at <= l.recorded_at
        WHERE l.reverses_id IS NULL AND (w.id IS NOT NULL OR v.valid_from > c.authorized_at)""",
    ),
    Law(
        "daily_totals_equal_rows",
        "Daily totals are the sums of captured charges (rebuild_daily_totals writes them anew).",
        f"""WITH expected AS ({daily("sums")}), stored AS (
            SELECT {", ".join(COLUMNS)} FROM ledger_dailytotal WHERE calls <> 0
            OR amount_pusd <> 0 OR held_pusd <> 0 OR input_tokens <> 0 OR output_tokens <> 0)
        {UNEQUAL}""",  # noqa: S608
    ),
    Law(
        "rollups_equal_totals",
        "Rollups equal the sums of the daily totals; examples are days.",
        f"""WITH expected AS ({rolling.expected(connection.vendor)}), stored AS (
            SELECT {", ".join(rolling.COLUMNS)} FROM ledger_rollup
            WHERE calls <> 0 OR amount_pusd <> 0 OR held_pusd <> 0)
        {UNEQUAL}""",  # noqa: S608
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
