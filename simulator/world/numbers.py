"""Purchase order numbers: eight characters as Amazon documents them, and what a buyer typed."""

from collections.abc import Iterator
from random import Random

FREE_TEXT_SHARE = 0.03

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_TYPED_FIRST = ("100%25", "a/b c#d?e+f;g", "Größe 4/5")
_TYPED = (
    "PO {n}/A",
    "Büro & Lager #{n}",
    "50% off {n}?",
    "x+y;{n}",
    "team/ops/{n}",
    "%2F{n}",
    "https://intra.example/po?id={n}&x=1#top",
    "発注 {n}",
    'quoted "{n}"',
    "back\\slash {n}",
    "Straße=ä,{n}",
)


def order_numbers(rng: Random, *, digits: bool, typed: bool = True) -> Iterator[str]:
    """Yield purchase order numbers without end, no two alike.

    Args:
        rng: Draws them.
        digits: Whether every second number consists of digits alone.
        typed: Whether some are not of eight characters, but as a buyer typed them.
    """
    taken: set[str] = set()
    count = 0
    while True:
        if typed and rng.random() < FREE_TEXT_SHARE:
            first = count < len(_TYPED_FIRST)
            number = _TYPED_FIRST[count] if first else rng.choice(_TYPED).format(n=count)
            count += 1
        elif digits and len(taken) % 2:
            number = str(rng.randrange(10**7, 10**8))
        else:
            number = "".join(rng.choices(_ALPHABET, k=8))
        if number not in taken:
            taken.add(number)
            yield number
