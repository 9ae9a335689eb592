"""What the example shop sells, and invented people who buy it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Sample:
    """A product to begin with."""

    name: str
    category: str
    drawing: str
    tint: str
    price: Decimal
    summary: str
    description: str


def _sample(line: str, description: str) -> Sample:
    name, category, drawing, tint, price, summary = (part.strip() for part in line.split("|"))
    return Sample(name, category, drawing, tint, Decimal(price), summary, description)


PRODUCTS = (
    _sample(
        "Harbour Breakfast | tea | tin | clay | 8.90 | Black tea from Assam and Kenya, 100 g",
        "Strong enough to stand up to milk and to Monday. Four minutes, boiling water.",
    ),
    _sample(
        "Long Afternoon | tea | tin | sage | 11.50 | Green tea with jasmine, 80 g",
        "Leaves that were left with jasmine blossom for three nights. Two minutes, 75 degrees.",
    ),
    _sample(
        "Night Train | tea | tin | slate | 7.40 | Rooibos with cocoa husk and orange, 100 g",
        "No caffeine, and yet it does not taste of giving something up.",
    ),
    _sample(
        "Orchard Fence | tea | cup | rose | 6.80 | Apple, rose hip and hibiscus, 120 g",
        "A fruit tea that is sour before it is sweet. Good cold, with a lot of ice.",
    ),
    _sample(
        "Stove Kettle No. 2 | kettle | kettle | clay | 64.00 | Enamelled steel, 1.6 litres",
        "Whistles in a third. Fits every hob, also induction, and keeps its handle cool.",
    ),
    _sample(
        "Gooseneck Kettle | kettle | kettle | slate | 89.00 | Brushed steel with thermometer, 1.0 litre",
        "Pours as thin as a thread, and tells you when the water is right for green tea.",
    ),
    _sample(
        "Round Teapot | kettle | teapot | ochre | 42.50 | Stoneware with strainer, 0.9 litres",
        "Thrown in Bolesławiec. The spout does not drip; we have tried for a year.",
    ),
    _sample(
        "Pair of Cups | kettle | cup | plum | 24.00 | Stoneware, 2 × 250 ml",
        "Thick enough to hold, thin enough to drink from. They stack.",
    ),
    _sample(
        "Fjord Wool | yarn | skein | slate | 9.20 | Highland wool, 50 g, 110 m",
        "Rustic, warm and forgiving: what you rip out can be knitted again. Needles 4 to 5 mm.",
    ),
    _sample(
        "Meadow Merino | yarn | skein | sage | 12.80 | Merino, 100 g, 210 m",
        "Soft enough for the neck of somebody who says that wool scratches. Needles 3.5 to 4 mm.",
    ),
    _sample(
        "Poppy Cotton | yarn | skein | rose | 5.60 | Organic cotton, 50 g, 125 m",
        "For summer and for dishcloths that are too good for dishes. Needles 3 to 3.5 mm.",
    ),
    _sample(
        "First Scarf Kit | yarn | needles | ochre | 34.00 | Wool, needles and a pattern in three languages",
        "All that is needed for one scarf, and for the second, which will be straight.",
    ),
)


@dataclass(frozen=True)
class Region:
    """Where some of the customers live, and how they are called there."""

    language: str
    country: str
    share: int
    prefix: str
    first: Sequence[str]
    last: Sequence[str]
    streets: Sequence[str]
    towns: Sequence[tuple[str, str]]


REGIONS = (
    Region(
        "pl",
        "PL",
        5,
        "+48 600",
        ("Zofia", "Marta", "Ewa", "Jan", "Piotr", "Kasia", "Tomasz", "Ola", "Adam", "Irena"),
        ("Nowak", "Zielińska", "Wójcik", "Mazur", "Kaczmarek", "Lis", "Wrona", "Sikora"),
        ("ul. Lniana", "ul. Herbaciana", "ul. Wełniana", "ul. Cicha"),
        (("90-001", "Łódź"), ("31-001", "Kraków"), ("80-001", "Gdańsk"), ("00-001", "Warszawa")),
    ),
    Region(
        "de",
        "DE",
        3,
        "+49 1500",
        ("Anna", "Lena", "Jonas", "Karin", "Uwe", "Mareike", "Felix", "Heike", "Paul", "Ida"),
        ("Brandt", "Vogel", "Schäfer", "Krause", "Lindner", "Böhm", "Winter", "Peters"),
        ("Lindenweg", "Wollgasse", "Am Teehaus", "Hafenstraße"),
        (("20095", "Hamburg"), ("04103", "Leipzig"), ("10115", "Berlin"), ("50667", "Köln")),
    ),
    Region(
        "en",
        "NL",
        2,
        "+31 600",
        ("Maya", "Owen", "Ruth", "Sam", "Nora", "Colin", "Grace", "Hugh"),
        ("Ashdown", "Baker", "Doyle", "Finch", "Marlow", "Reed", "Tanner"),
        ("Theekade", "Wolstraat", "Oude Gracht"),
        (("1011 AB", "Amsterdam"), ("3511 AA", "Utrecht"), ("9711 AA", "Groningen")),
    ),
)
# How many of a hundred orders come in each hour of the day, from midnight on.
HOURS = (1, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 7, 6, 5, 5, 6, 6, 7, 8, 8, 7, 4, 2)
