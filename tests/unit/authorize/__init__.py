"""The modules of `tap_amazon_business.authorize`."""
