"""Prices, by product and currency."""

from functools import lru_cache

RATES = {"EUR": 1.0, "USD": 1.08, "GBP": 0.86}
PRICES = {"anchor": 120.0, "rope": 4.5, "buoy": 35.0}


class UnknownProduct(KeyError):
    """Nobody sells that."""


@lru_cache(maxsize=512)
def price_of(sku: str, currency: str) -> float:
    """The price of one piece."""
    try:
        base = PRICES[sku]
    except KeyError:
        raise UnknownProduct(sku) from None
    return round(base * RATES[currency], 2)


def convert(amount: float, source: str, target: str) -> float:
    """An amount of one currency in another."""
    if source == target:
        return amount
    in_euro = amount / RATES[source]
    return round(in_euro * RATES[target], 2)
