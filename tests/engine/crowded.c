/* SPDX-License-Identifier: GPL-2.0-or-later */
/* More than callers are told of one function. A line that is to be found names the check; the others stay silent. */
struct store { spinlock_t lock; void *of[32]; };

static void drop_one(struct store *store, int kind)
{
	switch (kind) {
	case 1:
		kfree(store->of[1]);
		break;
	case 2:
		kfree(store->of[2]);
		break;
	case 3:
		kfree(store->of[3]);
		break;
	case 4:
		kfree(store->of[4]);
		break;
	case 5:
		kfree(store->of[5]);
		break;
	case 6:
		kfree(store->of[6]);
		break;
	case 7:
		kfree(store->of[7]);
		break;
	case 8:
		kfree(store->of[8]);
		break;
	case 9:
		kfree(store->of[9]);
		break;
	case 10:
		kfree(store->of[10]);
		break;
	case 11:
		kfree(store->of[11]);
		break;
	case 12:
		kfree(store->of[12]);
		break;
	case 13:
		kfree(store->of[13]);
		break;
	case 14:
		kfree(store->of[14]);
		break;
	case 15:
		kfree(store->of[15]);
		break;
	case 16:
		kfree(store->of[16]);
		break;
	case 17:
		kfree(store->of[17]);
		break;
	case 18:
		kfree(store->of[18]);
		break;
	case 19:
		kfree(store->of[19]);
		break;
	case 20:
		kfree(store->of[20]);
		break;
	case 21:
		kfree(store->of[21]);
		break;
	case 22:
		kfree(store->of[22]);
		break;
	case 23:
		kfree(store->of[23]);
		break;
	case 24:
		kfree(store->of[24]);
		break;
	case 25:
		kfree(store->of[25]);
		break;
	}
	msleep(1);
}

void drop_under_lock(struct store *store, int kind)
{
	spin_lock(&store->lock);
	drop_one(store, kind); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&store->lock);
}
