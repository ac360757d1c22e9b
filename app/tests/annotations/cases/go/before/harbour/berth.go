package harbour

import "fmt"

// Berth is a place at the quay.
type Berth struct {
	Number int
	Depth  int
	taken  bool
}

// Fits says whether a ship can lie here.
func (b *Berth) Fits(ship Ship) bool {
	return !b.taken && ship.Length <= b.Depth*10
}

// Take occupies the berth.
func (b *Berth) Take(ship Ship) error {
	if b.taken {
		return fmt.Errorf("berth %d is taken", b.Number)
	}
	b.taken = true
	return nil
}
