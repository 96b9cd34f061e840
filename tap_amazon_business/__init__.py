"""Singer tap for Amazon vendor purchase orders and Amazon Business order reports."""
