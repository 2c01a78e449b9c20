"""The checks of the Pod Security Standards, one function each, in the order in which the API server reports them."""
