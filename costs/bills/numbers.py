"""Texts as exact decimals and as days, in DuckDB's SQL. PURE.

A cast of DuckDB's rounds what has too many digits without a word, so it is done only where the text is known to fit:
short ones always do, long ones are looked at digit by digit.
"""

from costs.bills.records import quoted

# Digits after the point, finest last: a file is read with the first that takes all its amounts. 38 in all, so that
# sums reach 10^20 and 10^10.
SCALES = (18, 28)


def amount(text: str, scale: int) -> str:
    """SQL: a text as DECIMAL(38, scale), or NULL when it is no number or would have to be rounded."""
    cast = f"TRY_CAST({text} AS DECIMAL(38,{scale}))"
    plain = f"regexp_full_match(trim({text}), '[+-]?[0-9]*[.]?[0-9]{{0,{scale}}}0*')"
    # Of 35.2E-7: digits after the point, without zeros at the end, less the exponent.
    power = f"TRY_CAST(regexp_extract({text}, '[eE]([+-]?[0-9]{{1,4}})\\s*$', 1) AS INTEGER)"
    places = f"strlen(regexp_extract({text}, '[.]([0-9]*?)0*[eE]', 1))"
    scientific = (
        f"regexp_full_match(trim({text}), '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)[eE][+-]?[0-9]{{1,4}}')"
        f" AND {places} - {power} <= {scale}"
    )
    is_short = f"strlen({text}) <= {scale} AND NOT contains({text}, 'E') AND NOT contains({text}, 'e')"
    return (
        f"CASE WHEN {is_short} AND NOT contains({text}, '_') THEN {cast}"
        f" WHEN {plain} THEN {cast} WHEN {scientific} THEN {cast} END"
    )


def is_number(text: str) -> str:
    """SQL: whether a text is a number at all, however many digits it has."""
    return f"regexp_full_match(trim({text}), '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{{1,4}})?')"


DATE_FORMATS = {
    "iso": (),
    "month first": ("%m/%d/%y", "%m/%d/%Y"),
    "day first": ("%d/%m/%y", "%d/%m/%Y"),
    "day.month.year": ("%d.%m.%y", "%d.%m.%Y"),
    "compact": ("%Y%m%d",),
    "month": ("%Y-%m", "%m/%Y", "%Y/%m", "%m.%Y", "%Y%m"),  # it begins on its first day
    "named month": (), "named day": (),  # June 2026, and 30 Jun 2026
}  # fmt: skip
MONTHS = ("month", "named month")
# In English, German, French and Spanish, as people and spreadsheets write them.
_NAMES = (
    ("jan", "january", "januar", "jänner", "janv", "janvier", "ene", "enero"),
    ("feb", "february", "februar", "fév", "févr", "février", "febrero"),
    ("mar", "march", "mär", "mrz", "märz", "mars", "marzo"),
    ("apr", "april", "avr", "avril", "abr", "abril"),
    ("may", "mai", "mayo"),
    ("jun", "june", "juni", "juin", "junio"),
    ("jul", "july", "juli", "juil", "juillet", "julio"),
    ("aug", "august", "août", "aou", "ago", "agosto"),
    ("sep", "sept", "september", "septembre", "septiembre"),
    ("oct", "october", "okt", "oktober", "octobre", "octubre"),
    ("nov", "november", "novembre", "noviembre"),
    ("dec", "december", "dez", "dezember", "déc", "décembre", "dic", "diciembre"),
)
# (What is left when all that is neither letter nor digit is a blank, as in RE2; the groups of day and year.)
NAMED = {
    "named month": (("([0-9]{4}) [^0-9 ]+", 0, 1), ("[^0-9 ]+ ([0-9]{4}|[0-9]{2})", 0, 1)),
    "named day": (
        ("([0-9]{1,2}) [^0-9 ]+ ([0-9]{4}|[0-9]{2})", 1, 2), ("[^0-9 ]+ ([0-9]{1,2}) ([0-9]{4})", 1, 2),
    ),
}  # fmt: skip


ZONED = "zoned"  # of billing periods: ISO 8601 that begins at midnight somewhere


def billing_day(text: str, style: str) -> str:
    """SQL: a day within the month in which a billing period begins, or NULL.

    A period begins at midnight of the provider's own zone, which in UTC may be the last day of the month before. Zones
    are between 12 hours behind and 14 ahead, so 14 hours later it is within the first two days of its month in any.
    """
    if style != ZONED:
        return day(text, style)
    moved = f"CAST(timezone('UTC', TRY_CAST({text} AS TIMESTAMPTZ)) + INTERVAL 14 HOUR AS DATE)"
    return f"CASE WHEN {moved} BETWEEN DATE '2000-01-01' AND DATE '9999-12-31' THEN {moved} END"


def is_zoned(text: str) -> str:
    """SQL: whether a time in ISO 8601 says more than a day that begins in UTC."""
    return f"strlen({text}) > 10 AND NOT ends_with({text}, '00:00:00Z')"


def has_letters(text: str) -> str:
    """SQL: whether two letters stand side by side in it, as in the name of a month."""
    return f"regexp_matches({text}, '\\p{{L}}{{2}}')"


_EVERY_NAME = [name for names in _NAMES for name in names]
_MONTH_OF = [at for at, names in enumerate(_NAMES, start=1) for _ in names]


def _named(text: str, style: str) -> str:
    """SQL: the day of a date whose month has a name, or NULL; of a month by itself its first."""
    words = f"regexp_replace(lower(trim({text})), '[^\\p{{L}}0-9]+', ' ', 'g')"
    place = f"list_position([{', '.join(map(quoted, _EVERY_NAME))}], regexp_extract({words}, '\\p{{L}}+'))"
    month = f"{_MONTH_OF}[{place}]"
    found = ""
    for pattern, day_group, year_group in NAMED[style]:
        year = f"TRY_CAST(regexp_extract({words}, '{pattern}', {year_group}) AS INTEGER)"
        date = f"TRY_CAST(regexp_extract({words}, '{pattern}', {day_group}) AS INTEGER)" if day_group else "1"
        written = f"printf('%04d-%02d-%02d', {year} % 100 + 2000, {month}, {date})"
        written = f"CASE WHEN {year} < 100 OR {year} BETWEEN 2000 AND 2099 THEN TRY_CAST({written} AS DATE) END"
        found += f" WHEN regexp_full_match({words}, '{pattern}') THEN {written}"
    # Most texts are not looked at any further.
    return f"CASE WHEN NOT {has_letters(text)} THEN NULL{found} END"


def day(text: str, style: str) -> str:
    """SQL: the day (UTC) of a time as written, or NULL. A time with an offset is moved to UTC first."""
    if style in NAMED:
        found = _named(text, style)
    elif style == "iso":
        moved = f"CAST(timezone('UTC', TRY_CAST({text} AS TIMESTAMPTZ)) AS DATE)"
        found = (
            f"CASE WHEN strlen({text}) > 19 AND right({text}, 1) <> 'Z' THEN {moved}"
            f" ELSE TRY_CAST(substr({text}, 1, 10) AS DATE) END"
        )
    else:
        formats = ", ".join(f"'{each}'" for each in DATE_FORMATS[style])
        # With a time behind it the date alone is read.
        found = f"CAST(try_strptime(regexp_extract(trim({text}), '^[^ T]+'), [{formats}]) AS DATE)"
    return f"CASE WHEN {found} BETWEEN DATE '2000-01-01' AND DATE '9999-12-31' THEN {found} END"
