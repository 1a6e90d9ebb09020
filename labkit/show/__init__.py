"""What a person sees: the settings form, cards, tables, charts."""
