"""A tool of Anthropic's SDK that records how it was called."""

from anthropic import beta_tool


def weather_tool(towns: list):
    """A tool that adds each town that it is asked about to `towns`."""

    @beta_tool
    def get_weather(town: str) -> str:
        """The weather in a town.

        Args:
            town: its name
        """
        towns.append(town)
        return "sunny"

    return get_weather
