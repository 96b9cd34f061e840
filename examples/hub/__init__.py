"""The plugin definition for Meltano Hub, and what writes its settings."""
