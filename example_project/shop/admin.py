"""The shop's tables in the admin: to look at. Orders are moved on the staff pages."""

from typing import TYPE_CHECKING

from django.contrib import admin

from example_project.shop.models import Order, OrderLine, Product

if TYPE_CHECKING:
    ProductBase = admin.ModelAdmin[Product]
    OrderBase = admin.ModelAdmin[Order]
    LineBase = admin.TabularInline[OrderLine, Order]
else:
    ProductBase = OrderBase = admin.ModelAdmin
    LineBase = admin.TabularInline


@admin.register(Product)
class ProductAdmin(ProductBase):
    list_display = ["name", "category", "price", "stock"]
    list_filter = ["category"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}


class OrderLineInline(LineBase):
    model = OrderLine
    extra = 0


@admin.register(Order)
class OrderAdmin(OrderBase):
    list_display = ["number", "name", "status", "payment_status", "delivery_status", "total", "placed_at"]
    list_filter = ["status", "payment_status", "delivery_status", "payment_provider", "carrier"]
    search_fields = ["number", "email", "name"]
    raw_id_fields = ["user"]
    inlines = [OrderLineInline]
