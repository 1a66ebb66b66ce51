"""Preparation of data sets from their official archives, and checks of them."""
