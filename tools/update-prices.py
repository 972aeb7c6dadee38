#!/usr/bin/env python3
"""Writes crates/core/data/prices.json from the price list inside the `litellm` package (MIT) on PyPI.

    tools/update-prices.py                         # the newest release, completed with two older ones
    tools/update-prices.py 1.109.1 1.80.0 1.60.0   # newest first; an older list only adds models that the newer ones dropped

Nothing is installed: the wheels are downloaded to a temporary directory and read as archives. Prices become integer
pico-dollars per token, so one dollar per million tokens is 1,000,000. A model without both an input and an output price, or with
both at zero, is left out: an unknown price must not look free.
"""

import datetime
import decimal
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

TARGET = pathlib.Path(__file__).resolve().parent.parent / "crates/core/data/prices.json"
LIST = "litellm/model_prices_and_context_window_backup.json"
PROVIDERS = ["openai", "anthropic", "gemini", "mistral", "deepseek", "xai", "groq", "cohere", "aws.bedrock"]
# What the list calls them where it has another name. Bedrock's models that are named with a path are left out: it says where a call went,
# which no trace does.
LISTED_AS = {"cohere_chat": "cohere", "bedrock": "aws.bedrock", "bedrock_converse": "aws.bedrock"}
# Older lists are worth reading only for models that people still name in workflows and traces.
OLDER_FOR = ["openai", "anthropic"]
DEFAULT_VERSIONS = ["", "1.80.0", "1.60.0"]
# Priced by more than text tokens, or not answering in text.
SKIP = ["audio", "realtime", "tts", "lyria", "robotics", "image", "search", "omni", "container", "computer-use", "live"]
FIELDS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}


def download(version, directory):
    requirement = f"litellm=={version}" if version else "litellm"
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", directory, requirement], check=True)
    wheel = next(pathlib.Path(directory).glob("litellm-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        return wheel.name.split("-")[1], json.loads(archive.read(LIST), parse_float=decimal.Decimal)


def pico(dollars):
    exact = decimal.Decimal(dollars) * 10**12
    return int(exact.to_integral_value(decimal.ROUND_HALF_UP))


def prices(entry, suffix=""):
    return {ours: pico(entry[theirs + suffix]) for ours, theirs in FIELDS.items() if entry.get(theirs + suffix) is not None}


def long_context(entry, name):
    """Some models cost more, for the whole call, once the prompt is longer than a threshold."""
    thresholds = []
    for key in entry:
        head, _, tail = key.partition("_above_")
        if head == FIELDS["input"] and tail.endswith("k_tokens") and tail[: -len("k_tokens")].isdigit():
            thresholds.append(int(tail[: -len("k_tokens")]))
    if not thresholds:
        return None
    if len(thresholds) > 1:
        print(f"{name}: several thresholds {thresholds}, only the first is kept", file=sys.stderr)
    threshold = min(thresholds)
    return {"above_input_tokens": threshold * 1000, **prices(entry, f"_above_{threshold}k_tokens")}


def accepts_sampling(provider, entry):
    """Whether `temperature` and `top_p` may be sent at all."""
    if provider == "openai":
        return not entry.get("supports_reasoning") or entry.get("default_reasoning_effort") == "none"
    return entry.get("supports_sampling_params") is not False


def convert(listed, providers):
    table = {provider: {} for provider in providers}
    for name, entry in listed.items():
        provider = entry.get("litellm_provider")
        provider = LISTED_AS.get(provider, provider)
        embedding = entry.get("mode") == "embedding"
        if provider not in table or not (embedding or entry.get("mode") in ("chat", "responses")):
            continue
        name = name.removeprefix(f"{provider}/")
        if provider == "aws.bedrock" and ("/" in name or "." not in name):
            continue
        if any(word in name for word in SKIP):
            continue
        price = prices(entry)
        if embedding:
            # Traces name them; they answer nothing that could cost.
            price = {"input": price.get("input", 0), "output": 0}
        if "input" not in price or "output" not in price or not (price["input"] or price["output"]):
            continue
        # A cache price of zero is a gap in the list where the input costs something.
        price = {what: value for what, value in price.items() if value or what in ("input", "output")}
        if above := long_context(entry, name):
            price["long_context"] = above
        if embedding:
            price["embedding"] = True
        elif not accepts_sampling(provider, entry):
            price["sampling"] = False
        table[provider].setdefault(name, price)
    return table


def main():
    versions, merged = [], {provider: {} for provider in PROVIDERS}
    for version in sys.argv[1:] or DEFAULT_VERSIONS:
        with tempfile.TemporaryDirectory() as directory:
            version, listed = download(version, directory)
        for provider, models in convert(listed, PROVIDERS if not versions else OLDER_FOR).items():
            for name, price in models.items():
                merged[provider].setdefault(name, price)
        versions.append(version)
    lines = ["{"]
    lines.append(f'  "source": "https://pypi.org/project/litellm/{versions[0]}/ ({LIST}, MIT licence)",')
    lines.append(f'  "completed_from": {json.dumps(versions[1:])},')
    lines.append(f'  "generated": "{datetime.date.today().isoformat()}",')
    lines.append('  "generated_by": "tools/update-prices.py",')
    lines.append('  "unit": "pico-dollars (1e-12 USD) per token",')
    lines.append('  "models": {')
    for provider, models in merged.items():
        lines.append(f'    "{provider}": {{')
        rows = [f"      {json.dumps(name)}: {json.dumps(price)}" for name, price in sorted(models.items())]
        lines.append(",\n".join(rows))
        lines.append("    }," if provider != PROVIDERS[-1] else "    }")
    lines += ["  }", "}", ""]
    TARGET.write_text("\n".join(lines))
    print(f"{TARGET.name}: {sum(map(len, merged.values()))} models from litellm {versions}")


if __name__ == "__main__":
    main()
