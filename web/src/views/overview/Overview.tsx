import { Button, SegmentedControl, Stack } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconArrowsMaximize } from '@tabler/icons-react'
import { useRef } from 'react'
import { Connection } from '../../app/Connection'
import { useSearch } from '../../app/search'
import { PERIODS, periodOf } from '../../logic/overview'
import { Page } from '../../parts/Page'
import { When } from '../../parts/When'
import { Changes } from './Changes'
import { Drift, DriftMap } from './Drift'
import { useDashboard } from './figures'
import { Findings, Resolving } from './Findings'
import { Open } from './Open'
import { Waits } from './Waits'
import classes from './Overview.module.css'

/** Takes the whole screen, or gives it back. */
async function fill(wall: HTMLElement) {
  try {
    await (document.fullscreenElement ? document.exitFullscreen() : wall.requestFullscreen())
  } catch {
    notifications.show({ color: 'red', title: 'No full screen', message: 'This browser does not allow it here.' })
  }
}

/** How old what hangs there is, and whether it still follows what happens: full screen hides the page's own word. */
function AsOf() {
  const { dataUpdatedAt } = useDashboard()
  return (
    <span className={classes.asOf}>
      <span>How things stand, and how they went.</span>
      {dataUpdatedAt > 0 && <span>As of <When at={new Date(dataUpdatedAt).toISOString()} />.</span>}
      <span className={classes.onWall}><Connection /></span>
    </span>
  )
}

/** How things stand and went: made to be read from across a room, and to hang there for days. */
export function Overview() {
  const [search, set] = useSearch()
  const period = periodOf(search.days)
  const wall = useRef<HTMLDivElement>(null)
  return (
    <div ref={wall} className={classes.wall}>
      <Page
        title="Overview"
        about={<AsOf />}
        actions={
          <>
            <SegmentedControl
              aria-label="Period" value={String(period)} onChange={(days) => set({ days })}
              data={PERIODS.map((days) => ({ value: String(days), label: `${days} days` }))}
            />
            <Button
              variant="default" leftSection={<IconArrowsMaximize size={16} aria-hidden />} visibleFrom="sm"
              onClick={() => wall.current && void fill(wall.current)}
            >
              Full screen
            </Button>
          </>
        }
      >
        <Open />
        <Waits />
        <div className={classes.halves}>
          <Stack gap="md">
            <Findings period={period} />
            <Resolving period={period} />
          </Stack>
          <Stack gap="md">
            <Changes period={period} />
            <Drift period={period} />
          </Stack>
        </div>
        <DriftMap period={period} />
      </Page>
    </div>
  )
}
