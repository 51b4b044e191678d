/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects that are looked up by a value, and what is done to some of them. Lines that are to be found name the check. */
struct seat { struct kref ref; struct list_head node; unsigned int row; };
struct hall { spinlock_t lock; raw_spinlock_t door; struct list_head taken; struct seat fixed[8]; };

static struct seat *find_seat(struct hall *hall, unsigned int row)
{
	if (row < FIRST_LENT)
		return &hall->fixed[row];
	return lent_seat(hall, row);
}

static void put_seat(struct hall *hall, struct seat *seat)
{
	if (seat->row < FIRST_LENT)
		return;
	spin_lock(&hall->lock);
	list_del(&seat->node);
	spin_unlock(&hall->lock);
}

static void wipe(struct hall *hall, unsigned int row)
{
	struct seat *seat = find_seat(hall, row);

	put_seat(hall, seat);
}

void wipe_some_seat(struct hall *hall, struct play *play)
{
	raw_spin_lock(&hall->door);
	wipe(hall, row_of(play));
	raw_spin_unlock(&hall->door);
}

void wipe_the_first_seat(struct hall *hall)
{
	raw_spin_lock(&hall->door);
	wipe(hall, 0);
	raw_spin_unlock(&hall->door);
}

void wipe_a_lent_seat(struct hall *hall, unsigned int row)
{
	if (row >= FIRST_LENT) {
		raw_spin_lock(&hall->door);
		wipe(hall, row); /* wrong: rt-spinlock-under-raw-spinlock */
		raw_spin_unlock(&hall->door);
	} else {
		raw_spin_lock(&hall->door);
		wipe(hall, row);
		raw_spin_unlock(&hall->door);
	}
}

void wipe_a_seat_that_came_to_be_another(struct hall *hall, struct play *play)
{
	struct seat *seat;

	raw_spin_lock(&hall->door);
	seat = find_seat(hall, row_of(play));
	seat = list_first_entry(&hall->taken, struct seat, node);
	put_seat(hall, seat); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&hall->door);
}

void wipe_a_seat_whose_number_is_forgotten(struct hall *hall, unsigned int row, bool odd)
{
	struct seat *seat = find_seat(hall, SEAT_OF(row));

	raw_spin_lock(&hall->door);
	if (odd)
		row &= ~ODD;
	put_seat(hall, seat);
	raw_spin_unlock(&hall->door);
}

void wipe_every_seat(struct hall *hall)
{
	struct seat *seat, *next;

	raw_spin_lock(&hall->door);
	list_for_each_entry_safe(seat, next, &hall->taken, node)
		put_seat(hall, seat); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&hall->door);
}

void keep_fixed_seats(struct hall *hall)
{
	struct seat *seat;

	raw_spin_lock(&hall->door);
	list_for_each_entry(seat, &hall->taken, node) {
		if (seat->row >= FIRST_LENT)
			continue;
		put_seat(hall, seat);
	}
	raw_spin_unlock(&hall->door);
}

static void put_if_lent(struct hall *hall, struct seat *seat)
{
	if (is_lent(hall, seat->row)) {
		spin_lock(&hall->lock);
		list_del(&seat->node);
		spin_unlock(&hall->lock);
	}
}


static void sweep_around(struct hall *hall, unsigned int number)
{
	struct seat *seat = find_seat(hall, number);

	put_if_lent(hall, seat);
}

void sweep_some_seat(struct hall *hall, struct play *play)
{
	raw_spin_lock(&hall->door);
	sweep_around(hall, row_of(play));
	raw_spin_unlock(&hall->door);
}

void sweep_a_lent_seat(struct hall *hall, unsigned int row)
{
	raw_spin_lock(&hall->door);
	if (is_lent(hall, row))
		sweep_around(hall, row); /* wrong: rt-spinlock-under-raw-spinlock */
	raw_spin_unlock(&hall->door);
}
