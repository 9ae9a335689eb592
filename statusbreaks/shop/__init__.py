"""The port to the shop. `Shop` is the contract, `ModelShop` the one that needs settings only."""

from statusbreaks.shop.model import ModelShop
from statusbreaks.shop.port import Shop, current_shop
from statusbreaks.shop.values import Customer, Flow, OrderFacts, StatusEvent

__all__ = ["Customer", "Flow", "ModelShop", "OrderFacts", "Shop", "StatusEvent", "current_shop"]
