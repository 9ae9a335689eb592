"""What there is to buy, and the basket."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from example_project.shop import baskets
from example_project.shop.forms import BasketLineForm, QuantityForm
from example_project.shop.models import Product


@require_GET
def products(request: HttpRequest, category: str = "") -> HttpResponse:
    shown = Product.objects.filter(category=category) if category else Product.objects.all()
    context = {"products": shown, "categories": Product.Category.choices, "category": category}
    return render(request, "shop/products.html", context)


@require_GET
def product(request: HttpRequest, slug: str) -> HttpResponse:
    shown = get_object_or_404(Product, slug=slug)
    return render(request, "shop/product.html", {"product": shown, "form": QuantityForm()})


@require_POST
def add(request: HttpRequest, slug: str) -> HttpResponse:
    chosen = get_object_or_404(Product, slug=slug)
    form = QuantityForm(request.POST)
    if not form.is_valid():
        return render(request, "shop/product.html", {"product": chosen, "form": form}, status=400)
    baskets.add(baskets.open_basket(request), chosen, form.cleaned_data["quantity"])
    messages.success(request, _("%(product)s is in your basket.") % {"product": chosen})
    return redirect("basket")


@require_GET
def basket(request: HttpRequest) -> HttpResponse:
    found = baskets.basket_of(request)
    lines = found.contents() if found else []
    return render(request, "shop/basket.html", {"lines": lines, "total": sum(line.total for line in lines)})


@require_POST
def change(request: HttpRequest, slug: str) -> HttpResponse:
    form, found = BasketLineForm(request.POST), baskets.basket_of(request)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors["quantity"])))
    elif found:
        baskets.change(found, get_object_or_404(Product, slug=slug), form.cleaned_data["quantity"])
        messages.success(request, _("Your basket was changed."))
    return redirect("basket")
