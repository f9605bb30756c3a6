/**
 * A grid of very many rows of which only those in view exist: the result of a query. Rows are asked for by number
 * (`rowAt`), so that the caller keeps as few as it likes.
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type ReactNode } from "react";
import classes from "./VirtualGrid.module.css";

const ROW_PX = 30;
/** Chromium lays out no element taller than some 33 million pixels; beyond this, rows are reached proportionally. */
const TALLEST_PX = 15_000_000;

interface Props {
  label: string;
  columns: readonly { key: string; title: ReactNode; figure?: boolean }[];
  total: number;
  /** The cells of a row, or undefined while it comes. */
  rowAt: (index: number) => readonly ReactNode[] | undefined;
  /** Told when other rows come into view, so that they can be asked for. */
  onView?: (first: number, last: number) => void;
  height?: number;
}

export function VirtualGrid({ label, columns, total, rowAt, onView, height = 420 }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: Math.min(total, Math.floor(TALLEST_PX / ROW_PX)),
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const items = rows.getVirtualItems();
  // Where there are more rows than fit, what is in view is a window that moves over them all.
  const count = Math.min(total, Math.floor(TALLEST_PX / ROW_PX));
  const top = items[0]?.index ?? 0;
  const shift = count < total ? Math.round((top / Math.max(count - items.length, 1)) * (total - count)) : 0;
  const first = top + shift;
  const last = (items.at(-1)?.index ?? 0) + shift;
  useEffect(() => {
    onView?.(first, last);
  }, [onView, first, last]);

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <div ref={scroller} className={classes.scroll} style={{ height }} role="region" aria-label={label} tabIndex={0}>
      <table className={classes.grid} aria-rowcount={total + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" className={classes.number}>
              {"#"}
            </th>
            {columns.map((column) => (
              <th key={column.key} scope="col" className={column.figure === true ? classes.figure : undefined}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr aria-hidden="true" style={{ height: items[0]?.start ?? 0 }} />
          {items.map((item) => {
            const index = item.index + shift;
            const row = rowAt(index);
            return (
              <tr key={item.key} aria-rowindex={index + 2} style={{ height: ROW_PX }}>
                <th scope="row" className={classes.number}>
                  {index + 1}
                </th>
                {columns.map((column, place) => (
                  <td key={column.key} className={column.figure === true ? classes.figure : undefined}>
                    {row === undefined ? "…" : row[place]}
                  </td>
                ))}
              </tr>
            );
          })}
          <tr aria-hidden="true" style={{ height: Math.max(0, rows.getTotalSize() - (items.at(-1)?.end ?? 0)) }} />
        </tbody>
      </table>
    </div>
  );
}
