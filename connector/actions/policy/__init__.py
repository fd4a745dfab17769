"""May a request run: what it would touch, what the operator's rules say, and the profiles behind them."""
