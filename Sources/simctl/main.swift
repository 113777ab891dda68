print("npusim")
