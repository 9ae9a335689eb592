"""Whether a coupon can be used, for a checkout that asks while somebody types."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from statusbreaks.api.base import ByAddress, Door, Fields, Refusal
from statusbreaks.api.schema import BY_FIELD, describe
from statusbreaks.coupons.services import Purchase, validate
from statusbreaks.exceptions import CouponRefused
from statusbreaks.shop.values import Customer


class CouponFields(Fields):
    code = serializers.CharField(max_length=40)
    total = serializers.DecimalField(
        max_digits=14, decimal_places=3, min_value=0, coerce_to_string=True, help_text="To be paid before the coupon."
    )
    currency = serializers.RegexField(r"^[A-Z]{3}$", help_text="ISO 4217: EUR")
    email = serializers.EmailField(
        required=False, allow_blank=True, max_length=254, help_text="A guest's, for coupons that are for one customer."
    )


class CouponAnswer(serializers.Serializer[Any]):
    valid = serializers.BooleanField()
    worth = serializers.CharField(help_text='For people: "10 %" or "5.00 EUR". Empty if it cannot be used.')
    discount = serializers.CharField(help_text="What it takes off this order, in units of the currency.")
    reason = serializers.CharField(help_text="A word for programs: unknown, used, expired … Empty if it can be used.")
    sentence = serializers.CharField(help_text="Why not, for the shopper.")


class Guesses(ByAddress):
    """Enough for slips of the finger, and far too few to guess one of 2^55 codes."""

    scope = "statusbreaks-coupons"
    rate = "30/min"


class ValidateCoupon(Door):
    permission_classes = []
    throttle_classes = [Guesses]

    @describe(request=CouponFields, responses={200: CouponAnswer, 400: BY_FIELD, 403: Refusal, 429: Refusal})
    def post(self, request: Request) -> Response:
        """What a code takes off this order, or why nothing. Changes nothing."""
        fields = CouponFields(data=request.data)
        fields.is_valid(raise_exception=True)
        told = fields.validated_data
        return Response(CouponAnswer(answer(purchase(request, told), told["code"])).data)


def purchase(request: Request, told: dict[str, Any]) -> Purchase:
    user = str(request.user.pk) if request.user and request.user.is_authenticated else ""
    return Purchase(told["total"], told["currency"], Customer(user_id=user, email=told.get("email", "")))


def answer(wanted: Purchase, code: str) -> dict[str, Any]:
    try:
        offer = validate(code, wanted)
    except CouponRefused as refused:
        return {"valid": False, "worth": "", "discount": "0", "reason": refused.code, "sentence": str(refused)}
    return {"valid": True, "worth": offer.coupon.worth, "discount": str(offer.discount), "reason": "", "sentence": ""}
