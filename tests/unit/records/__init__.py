"""Tests of tap_amazon_business.records."""
