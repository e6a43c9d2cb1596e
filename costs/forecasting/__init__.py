"""Forecasts of daily spend and what is unusual in it. PURE.

Within, figures are floating point: a forecast is an estimate, and its error dwarfs theirs. They are made from exact
decimals at the door (`Daily.of`) and become decimals again when they leave (`money`).
"""
