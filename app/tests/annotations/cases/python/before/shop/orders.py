"""Orders: what a customer wants, what it costs, and how far it has come."""

import logging
from dataclasses import dataclass, field
from datetime import datetime

from shop.pricing import price_of

log = logging.getLogger(__name__)

MAX_LINES = 200
RETRY_SECONDS = 5


class OrderError(Exception):
    """An order that cannot go on."""


@dataclass
class Line:
    """One product and how many of it."""

    sku: str
    quantity: int
    note: str = ""

    def weight(self, weights: dict[str, float]) -> float:
        """Kilograms of this line."""
        return weights.get(self.sku, 0.0) * self.quantity


@dataclass
class Order:
    """A customer's order."""

    number: int
    customer: str
    lines: list[Line] = field(default_factory=list)
    shipped_at: datetime | None = None

    def add(self, sku: str, quantity: int) -> None:
        """Put a product on the order."""
        if quantity < 1:
            raise OrderError(f"quantity {quantity} is not positive")
        if len(self.lines) >= MAX_LINES:
            raise OrderError("the order is full")
        for line in self.lines:
            if line.sku == sku:
                line.quantity += quantity
                return
        self.lines.append(Line(sku, quantity))

    def total(self, currency: str) -> float:
        """What the customer pays."""
        amount = 0.0
        for line in self.lines:
            unit_price = price_of(line.sku, currency)
            amount += unit_price * line.quantity
        discount = self.discount_rate()
        return round(amount * (1 - discount), 2)

    def discount_rate(self) -> float:
        """Regular customers pay less."""
        pieces = sum(line.quantity for line in self.lines)
        if pieces > 100:
            return 0.1
        if pieces > 20:
            return 0.05
        return 0.0

    def ship(self, carrier: "Carrier", now: datetime) -> str:
        """Hand the parcel over; the tracking number."""
        if self.shipped_at is not None:
            raise OrderError("it was shipped already")
        if not self.lines:
            raise OrderError("there is nothing to ship")
        tracking = carrier.collect(self.number, self.customer)
        self.shipped_at = now
        log.info("order %d left with %s", self.number, tracking)
        return tracking


def parse_line(text: str) -> Line:
    """`SKU x N` as a line."""
    sku, _, count = text.partition(" x ")
    if not sku or not count.isdigit():
        raise OrderError(f"not an order line: {text!r}")
    return Line(sku.strip(), int(count))


def read_orders(path: str) -> list[Order]:
    """All orders in a file of one line each."""
    orders = []
    with open(path) as source:
        for number, row in enumerate(source, 1):
            customer, *rest = row.rstrip("\n").split(";")
            order = Order(number, customer)
            for text in rest:
                order.lines.append(parse_line(text))
            orders.append(order)
    return orders


def total_weight(orders: list[Order], weights: dict[str, float]) -> float:
    """Kilograms of all orders together."""
    return sum(line.weight(weights) for order in orders for line in order.lines)
