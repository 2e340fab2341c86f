"""What the SDK costs, measured beside a bare aiohttp and msgspec loop over the same prepared bytes."""
