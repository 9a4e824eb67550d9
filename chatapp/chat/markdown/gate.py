"""The last gate: whatever was rendered, only these elements and attributes reach a page."""

import nh3
from pygments.token import STANDARD_TYPES


def words(text: str) -> set[str]:
    return set(text.split())


TEXT = words("p br hr h3 h4 h5 h6 strong em s blockquote ul ol li a code pre span div figure")
CODE = {"figcaption", "button"}
TABLE = words("table thead tbody tr th td")
MATH = words(
    """math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover
    munderover mmultiscripts mprescripts mtable mtr mtd mstyle mpadded mphantom menclose"""
)
MATH_ATTRIBUTES = words(
    """width height depth lspace rspace voffset accent accentunder columnalign columnlines
    columnspacing rowlines rowspacing displaystyle fence form linebreak linethickness mathvariant
    maxsize minsize movablelimits notation scriptlevel separator stretchy symmetric"""
)
ALIGNED = {"align-left", "align-right", "align-center"}

_CLEANER = nh3.Cleaner(
    tags=TEXT | CODE | TABLE | MATH | {"input"},
    attributes={
        "a": {"href", "title"},
        "ol": {"start"},
        "input": {"disabled", "checked", "aria-label"},
        "div": {"aria-label"},
        **dict.fromkeys(MATH - {"math"}, MATH_ATTRIBUTES),
    },
    tag_attribute_values={
        "a": {"target": {"_blank"}},
        "button": {"type": {"button"}},
        "input": {"type": {"checkbox"}},
        "div": {"role": {"region"}, "tabindex": {"0"}},
        "pre": {"tabindex": {"0"}},
        "math": {"display": {"block", "inline"}},
    },
    allowed_classes={
        "span": {name for name in STANDARD_TYPES.values() if name},
        "figure": {"code"},
        "button": {"copy"},
        "code": {"math"},
        "div": {"table-scroll", "math"},
        "li": {"task"},
        "td": ALIGNED,
        "th": ALIGNED,
    },
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)


def clean(html: str) -> str:
    return _CLEANER.clean(html)
