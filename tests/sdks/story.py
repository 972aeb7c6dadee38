"""What every program asks about."""

ASK = [
    {"role": "system", "content": "You answer customers."},
    {"role": "user", "content": "Can I return order 4711? Bitte, 返品できますか?"},
]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "lookup_order",
            "description": "What became of an order",
            "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
        },
    }
]


def lookup_order(order):
    return f"order {order}: shipped"
