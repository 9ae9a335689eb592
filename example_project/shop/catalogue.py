"""Products and baskets."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from example_project.shop.values import MOST_OF_ONE


class ProductQuerySet(models.QuerySet["Product"]):
    def take(self, product_id: int, quantity: int) -> bool:
        """Count the stock down in one statement. False, and nothing taken, where there is too little."""
        return self.filter(pk=product_id, stock__gte=quantity).update(stock=F("stock") - quantity) == 1

    def give_back(self, product_id: int, quantity: int) -> None:
        self.filter(pk=product_id).update(stock=F("stock") + quantity)


class Product(models.Model):
    class Category(models.TextChoices):
        TEA = "tea", _("Tea")
        KETTLE = "kettle", _("Kettles")
        YARN = "yarn", _("Yarn")

    class Drawing(models.TextChoices):
        TIN = "tin", _("tin")
        CUP = "cup", _("cup")
        KETTLE = "kettle", _("kettle")
        TEAPOT = "teapot", _("teapot")
        SKEIN = "skein", _("skein")
        NEEDLES = "needles", _("needles")

    class Tint(models.TextChoices):
        SAGE = "sage", _("sage")
        CLAY = "clay", _("clay")
        OCHRE = "ochre", _("ochre")
        SLATE = "slate", _("slate")
        PLUM = "plum", _("plum")
        ROSE = "rose", _("rose")

    name = models.CharField(_("name"), max_length=80)
    slug = models.SlugField(_("address"), unique=True)
    category = models.CharField(_("category"), max_length=10, choices=Category)
    summary = models.CharField(_("summary"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    drawing = models.CharField(_("drawing"), max_length=10, choices=Drawing)
    tint = models.CharField(_("tint"), max_length=10, choices=Tint)
    price = models.DecimalField(_("price"), max_digits=8, decimal_places=2, validators=[MinValueValidator(0)])
    stock = models.PositiveIntegerField(_("in stock"), default=0)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["category", "name"]
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("product", args=[self.slug])

    @property
    def picture(self) -> str:
        return f"shop/pictures/{self.drawing}.svg"


class Basket(models.Model):
    """What somebody is about to buy: a signed-in customer's own, or one that a session remembers."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), null=True, blank=True, on_delete=models.CASCADE
    )
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("basket")
        verbose_name_plural = _("baskets")

    def __str__(self) -> str:
        return f"{_('basket')} {self.pk}"

    def contents(self) -> list[BasketLine]:
        return list(self.lines.select_related("product"))


class BasketLineQuerySet(models.QuerySet["BasketLine"]):
    def of(self, product: Product) -> BasketLineQuerySet:
        return self.filter(product=product)


class BasketLine(models.Model):
    basket = models.ForeignKey(Basket, verbose_name=_("basket"), on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveSmallIntegerField(
        _("quantity"), validators=[MinValueValidator(1), MaxValueValidator(MOST_OF_ONE)]
    )

    objects = BasketLineQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["basket", "product"], name="one_line_per_product")]
        verbose_name = _("basket line")
        verbose_name_plural = _("basket lines")

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product}"

    @property
    def total(self) -> Decimal:
        return self.product.price * self.quantity
