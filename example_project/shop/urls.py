"""The shop's pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path, register_converter

from example_project.shop.models import Product
from example_project.shop.views import accounts, catalogue, checkout, orders, staff


class CategoryConverter:
    regex = "|".join(Product.Category.values)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(CategoryConverter, "category")

urlpatterns = [
    path("", catalogue.products, name="products"),
    path("<category:category>/", catalogue.products, name="category"),
    path("products/<slug:slug>/", catalogue.product, name="product"),
    path("products/<slug:slug>/add/", catalogue.add, name="basket_add"),
    path("basket/", catalogue.basket, name="basket"),
    path("basket/<slug:slug>/", catalogue.change, name="basket_change"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("orders/", orders.my_orders, name="my_orders"),
    path("orders/find/", orders.find_order, name="find_order"),
    path("orders/link/<str:token>/", orders.order_link, name="order_link"),
    path("orders/<str:number>/", orders.order, name="order"),
    path("orders/<str:number>/thanks/", orders.order, {"template": "shop/thanks.html"}, name="order_thanks"),
    path("orders/<str:number>/cancel/", orders.cancel, name="order_cancel"),
    path("account/login/", accounts.Login.as_view(), name="login"),
    path("account/logout/", LogoutView.as_view(), name="logout"),
    path("account/register/", accounts.register, name="register"),
    path("staff/", staff.orders, name="staff_orders"),
    path("staff/orders/<str:number>/", staff.order, name="staff_order"),
    path("staff/orders/<str:number>/move/", staff.move, name="staff_move"),
]
