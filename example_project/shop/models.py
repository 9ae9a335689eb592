"""The shop's tables."""

from example_project.shop.catalogue import Basket, BasketLine, Product
from example_project.shop.orders import Order, OrderLine, WrongMove

__all__ = ["Basket", "BasketLine", "Order", "OrderLine", "Product", "WrongMove"]
